"""What VTJkysely says, as text: envelopes, faults, and a person's answer in the forms of several products."""

from __future__ import annotations

from tests.wire.server import Reply

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
KYSELY = "http://xml.vrk.fi/ws/vtj/vtjkysely/1"
SCHEMA = "http://xml.vrk.fi/schema/vtjkysely"
XML = {"Content-Type": "text/xml; charset=utf-8"}

ONE_LINE = """<VakinainenKotimainenLahiosoite><LahiosoiteS>Salakuja 3 B 12</LahiosoiteS>
    <LahiosoiteR>Hemligränd 3 B 12</LahiosoiteR><Postinumero>00640</Postinumero>
    <PostitoimipaikkaS>HELSINKI</PostitoimipaikkaS><PostitoimipaikkaR>HELSINGFORS</PostitoimipaikkaR>
    <AsuminenAlkupvm>19920100</AsuminenAlkupvm><AsuminenLoppupvm/></VakinainenKotimainenLahiosoite>"""
IN_PARTS = """<VakinainenKotimainenOsoite><Postinumero>00640</Postinumero><Jakokirjain/>
    <Huoneistonumero>012</Huoneistonumero><Porraskirjain>B</Porraskirjain><Katunumero>3</Katunumero>
    <KatuR>Hemligränd</KatuR><KatuS>Salakuja</KatuS><PostitoimipaikkaR>HELSINGFORS</PostitoimipaikkaR>
    <PostitoimipaikkaS>HELSINKI</PostitoimipaikkaS><AsuminenAlkupvm>19920100</AsuminenAlkupvm>
    </VakinainenKotimainenOsoite>"""
NO_ADDRESS = "<VakinainenKotimainenLahiosoite><LahiosoiteS/><Postinumero/></VakinainenKotimainenLahiosoite>"
NAMES = """<NykyinenSukunimi><Sukunimi>Äijälä</Sukunimi></NykyinenSukunimi>
    <NykyisetEtunimet><Etunimet>Aino Salla</Etunimet></NykyisetEtunimet>"""
BAN_OFF = "<Turvakielto><TurvakieltoTieto/><TurvakieltoPaattymispvm/></Turvakielto>"


def ban(told: str) -> str:
    return f"<Turvakielto><TurvakieltoPaattymispvm/><TurvakieltoTieto>{told}</TurvakieltoTieto></Turvakielto>"


def number(code: str, force: str | None = "1") -> str:
    attribute = "" if force is None else f' voimassaolokoodi="{force}"'
    return f"<Henkilotunnus{attribute}>{code}</Henkilotunnus>"


def message(*person: str, code: str | None = "0000", search: str = "") -> str:
    """VTJHenkiloVastaussanoma with a person made of these parts; with none there is no person."""
    told = "" if code is None else f'<Paluukoodi koodi="{code}">selite</Paluukoodi>'
    inside = f"<Henkilo>{''.join(person)}</Henkilo>" if person else ""
    return f'<VTJHenkiloVastaussanoma xmlns="{SCHEMA}">{told}{search}{inside}</VTJHenkiloVastaussanoma>'


def search(code: str, told: str = "1") -> str:
    number = f'<Henkilotunnus hakuperustePaluukoodi="{told}">\n  {code} </Henkilotunnus>'
    return f"<Hakuperusteet>{number}</Hakuperusteet>"


def envelope(body: str, head: str = "") -> bytes:
    text = f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Header>{head}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def response(inside: str, echo: str = "") -> bytes:
    request = f"<k:request><k:Kayttajatunnus>u</k:Kayttajatunnus>{echo}</k:request>"
    return envelope(
        f'<k:HenkilonTunnusKyselyResponse xmlns:k="{KYSELY}">{request}<k:response>{inside}</k:response>'
        "</k:HenkilonTunnusKyselyResponse>"
    )


def fault_code(code: str) -> str:
    return f"<k:faultCode>{code}</k:faultCode><k:faultString>selite</k:faultString>"


def says(body: bytes, status: int = 200) -> Reply:
    return Reply(status, body, XML)


def fault(code: str, text: str = "no", status: int = 200) -> Reply:
    inside = f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring><detail><x>{text}</x></detail>"
    return says(envelope(f"<s:Fault>{inside}</s:Fault>"), status)
