"""Lets requests through that the gateway vouches for; who calls is in scope["state"]["caller"]."""

import asyncio

import jwt


class RequireCaller:
    def __init__(self, app, issuer, audience, kinds=("person", "service-account"), workspace=None, server=None):
        """
        issuer: URL of the gateway's control plane.
        audience: origin of this upstream as the gateway has it, or the `audience` that is configured there.
        kinds: who may call. With "token", look at token_issuer: subjects of tokens are only as good as that.
        workspace, server: of the server at the gateway; any when None.
        """
        self.app = app
        self.issuer = issuer
        self.audience = audience
        self.kinds = kinds
        self.places = {name: value for name, value in (("workspace", workspace), ("server", server)) if value is not None}
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
        caller = jwt.decode(token, key, algorithms=["ES256"], issuer=self.issuer, audience=self.audience, options={"require": ["sub", "exp", "iss", "aud"]})
        if caller.get("kind") not in self.kinds or any(caller.get(name) != value for name, value in self.places.items()):
            raise jwt.InvalidTokenError("not one of those who may call")
        return caller


async def refuse(send):
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"error":"no valid caller identity"}'})
