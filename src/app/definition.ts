import type { Handler, Middleware } from "../core/handler.ts";
import type { Application } from "../core/application.ts";
import type { AppOptions, RouteOptions } from "./route-options.ts";

/** One route as it was declared, in an application that may yet be mounted somewhere. */
export interface RouteDeclaration {
  readonly kind: "route";
  /** One method, or `"all"`: every standard one that the pattern has no route of its own for. */
  readonly method: string;
  readonly pattern: string;
  readonly options: RouteOptions;
  readonly handler: Handler;
  /** Outermost first. */
  readonly middleware: readonly Middleware[];
  readonly source: string;
}

/** A folder of files. */
export interface FilesDeclaration {
  readonly kind: "files";
  /** Starts and ends with "/". */
  readonly prefix: string;
  /** Absolute. */
  readonly root: string;
  readonly middleware: readonly Middleware[];
  readonly source: string;
}

/** Another application under a prefix. */
export interface MountDeclaration {
  readonly kind: "mount";
  /** Starts with "/" and doesn't end with it; `""` for the root. */
  readonly prefix: string;
  readonly definition: AppDefinition;
  readonly middleware: readonly Middleware[];
  readonly source: string;
}

/** Everything an application was told. */
export interface AppDefinition {
  readonly options: AppOptions;
  readonly declarations: (RouteDeclaration | FilesDeclaration | MountDeclaration)[];
  /** The application's own, without those of its groups. */
  rootMiddleware: readonly Middleware[];
  onError: Application["recover"] | undefined;
  onMiss: Handler | undefined;
  /** Once it was assembled, nothing more may be declared. */
  sealed: boolean;
}

/** Where an `App` keeps its definition: for this folder's eyes. */
export const definitionOf: unique symbol = Symbol("definition");
