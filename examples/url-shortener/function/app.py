"""Shortens a link and draws its QR code, with packages that come from a layer."""

import base64
import io
import os

import pyshorteners
import qrcode

# Made once, when the execution environment starts, and used by every invocation that it serves.
shortener = pyshorteners.Shortener(domain=os.environ["SHORTENER"], timeout=5)


def handler(event, context):
    url = event["url"]
    print(f"shortening {url}")
    short = shortener.nullpointer.short(url).strip()
    code = qrcode.QRCode(border=2)
    code.add_data(short)
    return {
        "url": url,
        "short_url": short,
        "qr_text": as_text(code),
        "qr_png": as_png(code),
    }


def as_text(code):
    """The code in half blocks, two modules a character, for a terminal."""
    out = io.StringIO()
    code.print_ascii(out=out, invert=True)
    return out.getvalue()


def as_png(code):
    """The code as an image, drawn by Pillow, in base64."""
    out = io.BytesIO()
    code.make_image().save(out, format="PNG")
    return base64.b64encode(out.getvalue()).decode()
