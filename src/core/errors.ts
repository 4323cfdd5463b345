import { inspect } from "node:util";

/**
 * Every error Millrace throws on purpose. Each carries a stable `code` that programs may rely on;
 * the message says what was attempted, what is so and what is wanted.
 */
export class MillraceError extends Error {
  /** Stable, upper-case identifier, e.g. `ROUTE_COLLISION`. Part of the public interface. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An error in full, for the developer's eyes. Never throws, whatever was thrown. */
export function describeError(error: unknown): string {
  try {
    return inspect(error);
  } catch {
    return "an error that cannot be shown";
  }
}

/** A wrong option, route or application module: found at start, never while serving. */
export class ConfigError extends MillraceError {}

/**
 * What a client sent can't be accepted (RFC 9112). The connection answers `status` and closes,
 * because what follows on it can no longer be told apart from the broken message.
 */
export class ProtocolError extends MillraceError {
  /** The status to answer with: 400, 408, 413, 414, 417, 431, 501 or 505. */
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(code, message);
    this.status = status;
  }
}

/** What an `HttpError` may carry besides status and message. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Extra response fields, e.g. `{ "retry-after": "5" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Stable code for programs; `HTTP_<status>` unless given. */
  readonly code?: string;
}

/**
 * An error whose status and message are meant for the client. The message is sent as it is, so it
 * must hold nothing secret; `cause` never leaves the server.
 */
export class HttpError extends MillraceError {
  /** HTTP status code, 400 to 599. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(options.code ?? `HTTP_${status}`, message, options);
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`An HttpError cannot have status ${status}: give 400 to 599`);
    }
    this.status = status;
    this.headers = options.headers ?? {};
  }
}
