import { randomUUID } from 'node:crypto';
import { nestLogger } from '@gatehouse/service-runtime';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuthorizationServer } from './agents-oauth/authorization-server.service.ts';
import { serveOAuth } from './agents-oauth/oauth-routes.ts';
import { AppModule, type ControlPlaneParts } from './app.module.ts';
import { answerSecurely } from './http/answer-securely.ts';
import { readForms } from './http/form-body.ts';
import { maxBodyBytes, readJsonBodies } from './http/json-body.ts';
import { readLargeBodies } from './http/large-bodies.ts';
import { observeRequests } from './http/observe-requests.ts';
import { sendProblem } from './http/send-problem.ts';
import { trustedProxies } from './http/trusted-proxies.ts';
import { understoodError } from './http/understood-error.ts';
import { Principals } from './identity/principals.service.ts';

/** The REST API, wired and not yet listening. */
export async function createApplication(parts: ControlPlaneParts): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: maxBodyBytes,
    genReqId: () => randomUUID(),
    // At the end, requests in flight are answered first.
    forceCloseConnections: 'idle',
    requestTimeout: 30_000,
    trustProxy: trustedProxies(parts.settings.TRUSTED_PROXIES),
    // What fails before there is a route, such as a path that cannot be decoded.
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => sendProblem(reply, understoodError(error), request.id),
  });
  const instance = adapter.getInstance();
  parts.allowedMethods.watch(instance);
  answerSecurely(instance);
  observeRequests(instance, parts.logger, parts.metrics, parts.tracer);
  readJsonBodies(instance);
  readForms(instance);
  const application = await NestFactory.create<NestFastifyApplication>(AppModule.of(parts), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: nestLogger(parts.logger),
  });
  const principals = application.get(Principals);
  readLargeBodies(instance, (request) => principals.of(request));
  serveOAuth(instance, application.get(AuthorizationServer), parts.settings);
  return application;
}
