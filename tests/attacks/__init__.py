"""Attacks: what somebody tries who means harm, by the pages, the files and the line to VTJ."""
