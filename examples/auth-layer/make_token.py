"""Prints a token: make_token.py SECRET SUBJECT SCOPE [SECONDS that it holds]. Needs nothing but Python."""

import base64
import hashlib
import hmac
import json
import sys
import time


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


secret, subject, scope = sys.argv[1:4]
seconds = int(sys.argv[4]) if len(sys.argv) > 4 else 300
header = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
body = encode(json.dumps({"sub": subject, "scope": scope, "exp": int(time.time()) + seconds}).encode())
signature = encode(hmac.new(secret.encode(), header + b"." + body, hashlib.sha256).digest())
sys.stdout.write((header + b"." + body + b"." + signature).decode())
