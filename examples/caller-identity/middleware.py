"""Lets requests through that the gateway vouches for; who calls is in scope["state"]["caller"]."""

import asyncio

import jwt


class RequireCaller:
    def __init__(self, app, issuer, audience):
        """
        issuer: URL of the gateway's control plane.
        audience: origin of this upstream as the gateway has it, or the `audience` that is configured there.
        """
        self.app = app
        self.issuer = issuer
        self.audience = audience
        self.keys = jwt.PyJWKClient(issuer.rstrip("/") + "/.well-known/jwks.json", cache_keys=True)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            # Nothing else carries the header; the server's own lifespan events have to get through.
            return await self.app(scope, receive, send) if scope["type"] == "lifespan" else None
        tokens = [value for name, value in scope["headers"] if name.lower() == b"x-caller"]
        try:
            [token] = tokens
            # Key sets are fetched with a library that waits.
            caller = await asyncio.to_thread(self.verify, token.decode("ascii"))
        except (ValueError, jwt.PyJWTError):
            return await refuse(send)
        scope.setdefault("state", {})["caller"] = caller
        await self.app(scope, receive, send)

    def verify(self, token):
        if jwt.get_unverified_header(token).get("typ") != "caller-identity+jwt":
            raise jwt.InvalidTokenError("not a caller's identity")
        key = self.keys.get_signing_key_from_jwt(token).key
        return jwt.decode(token, key, algorithms=["ES256"], issuer=self.issuer, audience=self.audience, options={"require": ["sub", "exp", "iss", "aud"]})


async def refuse(send):
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"error":"no valid caller identity"}'})
