/**
 * Millrace: an asynchronous, multi-threaded web application server. This is what applications write
 * with.
 */
export { app, type App } from "./app/app.ts";
export type { AppOptions, RequestBounds, RouteOptions } from "./app/route-options.ts";
export type { Scope } from "./app/scope.ts";
export type { Application, Manifest, Placement, RouteManifest } from "./core/application.ts";
export type { CookieInit } from "./core/cookies.ts";
export { ConfigError, HttpError, MillraceError, type HttpErrorOptions } from "./core/errors.ts";
export type { Handler, HandlerResult, Middleware } from "./core/handler.ts";
export type { HeaderList, HeadersInit, HeaderValue } from "./core/header-list.ts";
export { problem, type ProblemDetails } from "./core/problem.ts";
export { asReply, html, redirect, Reply, reply } from "./core/reply.ts";
export type { RedirectStatus, ReplyInit } from "./core/reply.ts";
export { Request } from "./core/request.ts";
export type { RequestHeaders } from "./core/request-headers.ts";
export type { ParamsOf } from "./router/pattern.ts";
export { file } from "./static/file.ts";
export { createServer, type Server, type ServerEvents, type ServerOptions } from "./server.ts";
export type { Limits } from "./config/limits.ts";
export type { WorkerCount } from "./config/worker-count.ts";
export type { ListenAddress } from "./net/address.ts";
