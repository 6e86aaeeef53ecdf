"""What can be measured of a page's looks, as scripts for the browser; and a way in without the sign-in page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.test import Client

from registry.models import User

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Texts whose contrast with what lies behind them is less than WCAG 2.1 AA asks of small text (1.4.3).
FAINT = """() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const rgba = colour => {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data];
    };
    const light = ([...colour]) => colour.slice(0, 3)
        .map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const behind = element => {
        for (; element; element = element.parentElement) {
            const colour = rgba(getComputedStyle(element).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return rgba("Canvas");
    };
    return [...document.querySelectorAll("body *")]
        .filter(element => element.checkVisibility())
        .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
        .filter(element => {
            const [one, other] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
            return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) < 4.5;
        })
        .map(element => element.textContent.trim());
}"""
# Things to press that are smaller than a fingertip. A box in a label is as large as the label.
SMALL = """() => [...document.querySelectorAll("main a, button, input:not([type=hidden]), select, nav a")]
    .filter(element => element.checkVisibility() && getComputedStyle(element).display !== "inline")
    .filter(element => (element.closest("label") ?? element).getBoundingClientRect().height < 44)
    .map(element => element.outerHTML)"""
# Cells that have become cards, with a label before them, and more than one thing beside it: it falls below the label.
SPLIT = """() => [...document.querySelectorAll("td")]
    .filter(cell => getComputedStyle(cell).display === "grid")
    .filter(cell => [...cell.childNodes].filter(node => node.nodeType === 1 || node.data.trim()).length > 1)
    .map(element => element.outerHTML)"""
# Cells with a word that is too long for them.
CUT = """() => [...document.querySelectorAll("td, tbody th")]
    .filter(cell => cell.checkVisibility() && cell.scrollWidth > cell.clientWidth)
    .map(cell => cell.outerHTML)"""
SIDEWAYS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
# Headings that skip a level, controls without a name, tables without a caption, fields without a label.
UNNAMED = """() => {
    const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map(one => Number(one.tagName[1]));
    const skips = levels.filter((level, place) => level > (levels[place - 1] ?? 0) + 1).map(level => `h${level}`);
    const named = element => element.textContent.trim() || element.getAttribute("aria-label");
    const bare = [...document.querySelectorAll("a, button, summary")].filter(element => !named(element));
    const tables = [...document.querySelectorAll("table")].filter(table => !table.caption);
    const fields = [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
        .filter(field => !field.labels.length);
    const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
    const twice = ids.filter((id, place) => ids.indexOf(id) !== place);
    return [...skips, ...[...bare, ...tables, ...fields].map(element => element.outerHTML), ...twice];
}"""


def sign_in(page: Page, address: str, user: User) -> None:
    """Gives the page's browser a session of the user on the server at the address."""
    client = Client()
    client.force_login(user)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": address}])
