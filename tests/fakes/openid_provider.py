"""A small OpenID provider over HTTP on loopback: it checks what OpenID Connect Core and RFC 7636 (PKCE) ask of it."""

import base64
import hashlib
import html
import json
import secrets
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from loopback import serving

CLIENT, SECRET = "practicum", "s3cret of the application"


class FakeProvider:
    """The server. It signs in whoever comes as `login`; `claims` are put over those of its tokens.

    `says`: what it tells besides, at its page for user information. `refuses`: an error in place of a sign-in. `asks`:
    it shows a page with a link, as people see it, in place of sending the browser back at once. `wrong`: answers in
    place of its own, by part.
    """

    def __init__(self, host="127.0.0.1"):
        self.login, self.claims, self.says, self.refuses = "mia", {}, {}, ""
        self.in_token, self.is_down, self.asks, self.host = True, False, False, host
        self.key = self.signs_with = RSAKey.generate_key(2048, {"kid": "1"})
        self.codes, self.tokens, self.wrong = {}, {}, {}

    @contextmanager
    def running(self):
        """Serve until the block ends."""
        with serving(_Handler, self) as port:
            self.issuer = f"http://{self.host}:{port}"
            yield self

    def configuration(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/me",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self, given):
        """Return where the browser goes, with a code or an error."""
        assert (given["client_id"], given["response_type"], given["code_challenge_method"]) == (CLIENT, "code", "S256")
        assert "openid" in given["scope"].split()
        assert given["nonce"]
        assert given["state"]
        code = secrets.token_urlsafe(8)
        self.codes[code] = given
        said = {"error": self.refuses} if self.refuses else {"code": code}
        return f"{given['redirect_uri']}?{urlencode({**said, 'state': given['state']})}"

    def form(self, given):
        """Return the page on which a person agrees."""
        link = f'<a href="{html.escape(self.authorize(given))}">It is me</a>'
        return f'<!doctype html><link rel="icon" href="data:,">{link}'.encode()

    def token(self, given, credentials):
        """Return the answer to a code, which works once, with the secret and by whoever began only."""
        pair = f"{quote(CLIENT, safe='')}:{quote(SECRET, safe='')}", f"{CLIENT}:{SECRET}"
        asked = self.codes.pop(given.get("code"), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest()).decode().rstrip("=")
        if credentials not in pair:
            return 401, {"error": "invalid_client"}
        if asked is None or proof != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now, access = int(time.time()), secrets.token_urlsafe(8)
        named = {"preferred_username": self.login} if self.in_token else {}
        claims = {"iss": self.issuer, "sub": "17", "aud": CLIENT, "iat": now, "exp": now + 120, "nonce": asked["nonce"]}
        proof = jwt.encode({"alg": "RS256", "kid": "1"}, {**claims, **named, **self.claims}, self.signs_with)
        self.tokens[access] = {"sub": "17", "preferred_username": self.login, **self.says}
        return 200, {"access_token": access, "token_type": "Bearer", "expires_in": 120, "id_token": proof}


class _Handler(BaseHTTPRequestHandler):
    fake = None

    def do_GET(self):
        place, query = urlsplit(self.path), {}
        query = {key: values[0] for key, values in parse_qs(place.query).items()}
        if self.fake.is_down:
            self._answer(503, {"error": "down"})
        elif place.path == "/authorize" and self.fake.asks:
            self._say(200, "text/html", self.fake.form(query))
        elif place.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.fake.authorize(query))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif place.path == "/.well-known/openid-configuration":
            self._answer(200, self.fake.wrong.get("configuration", self.fake.configuration()))
        elif place.path == "/keys":
            self._answer(200, self.fake.wrong.get("keys", {"keys": [self.fake.key.as_dict(private=False)]}))
        elif place.path == "/me":
            known = self.fake.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            said = self.fake.wrong.get("me", known)
            self._answer(200 if known else 401, said if known else {"error": "invalid_token"})
        else:
            self._answer(404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        kind, _, pair = self.headers.get("Authorization", "").partition(" ")
        credentials = base64.b64decode(pair).decode() if kind == "Basic" else ""
        given = {key: values[0] for key, values in parse_qs(body).items()}
        status, said = (503, {}) if self.fake.is_down else self.fake.token(given, credentials)
        self._answer(status, self.fake.wrong.get("token", said))

    def _answer(self, status, document):
        self._say(status, "application/json", json.dumps(document).encode())

    def _say(self, status, kind, content):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Say nothing."""
