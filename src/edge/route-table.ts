import { missIndex, type Manifest, type Placement } from "../core/application.ts";
import { Router } from "../router/router.ts";

/** What the edge needs to know about a route to handle a request for it. */
export interface RouteTarget {
  /** Place of the handler in the manifest, or `missIndex`. */
  readonly index: number;
  readonly placement: Placement;
  readonly bodyBytesMax: number;
  readonly priority: number;
  readonly queueTimeoutMs: number;
}

/** How long what no route takes may wait in the queue, in ms, when a worker answers it. */
const missQueueTimeoutMs = 30_000;

/** The manifest as the edge uses it: a router of targets, and what happens to the rest. */
export class RouteTable {
  readonly manifest: Manifest;
  /** For requests that no route takes. */
  readonly miss: RouteTarget;
  readonly #router = new Router<RouteTarget>();

  constructor(manifest: Manifest) {
    this.manifest = manifest;
    for (const [index, route] of manifest.routes.entries()) {
      const { method, pattern, source } = route;
      this.#router.add({ method, pattern, source }, { index, ...pick(route) });
    }
    this.miss = {
      index: missIndex,
      placement: manifest.miss,
      bodyBytesMax: manifest.missBodyBytesMax,
      priority: 0,
      queueTimeoutMs: missQueueTimeoutMs,
    };
  }

  /** @throws HttpError 400 for a path that can't be decoded or tries to climb */
  find(method: string, path: string): RouteTarget | undefined {
    return this.#router.find(method, path);
  }

  /** Methods for `Allow`; empty when no pattern has the path. */
  allowed(path: string): readonly string[] {
    return this.#router.allowed(path);
  }
}

function pick(route: Manifest["routes"][number]): Omit<RouteTarget, "index"> {
  const { placement, bodyBytesMax, priority, queueTimeoutMs } = route;
  return { placement, bodyBytesMax, priority, queueTimeoutMs };
}
