import type { Manifest, RouteManifest } from "../core/application.ts";
import { AppLoadError } from "../workers/app-load-error.ts";
import { describeLoadFailure, loadApplication } from "../workers/load-app.ts";
import { locateApp } from "./app-file.ts";
import type { Arguments, Command } from "./command.ts";
import { importOption } from "./import-option.ts";
import { describeAppLoadError } from "./load-failure.ts";
import { preload } from "./preload.ts";
import { readablePath } from "./readable-path.ts";
import { table } from "./table.ts";
import { print, printError, styled } from "./terminal.ts";

/** `millrace routes`: lists what an application answers. */
export const routesCommand: Command = {
  name: "routes",
  summary: "List the application's routes",
  description:
    "Loads the application and lists its routes: method, pattern, where the handler runs,\n" +
    "the largest body it takes, and where it was declared.\n" +
    "Folders of files come last: they are looked up after the routes.",
  options: {
    json: { summary: "Print JSON instead of a table" },
    import: importOption,
  },
  run: listRoutes,
};

async function listRoutes(args: Arguments): Promise<number> {
  const appUrl = locateApp(args.app);
  await preload(args.all("import"));
  let manifest: Manifest;
  try {
    manifest = (await loadApplication(appUrl)).manifest();
  } catch (cause) {
    const error = new AppLoadError(appUrl, describeLoadFailure(cause));
    printError(describeAppLoadError(error, appUrl));
    return 1;
  }
  if (args.has("json")) print(JSON.stringify(describeForPrograms(manifest), null, 2));
  else for (const line of describeForPeople(manifest)) print(line);
  return 0;
}

function describeForPrograms({ routes, files }: Manifest): object {
  return {
    routes: routes.map(({ method, pattern, placement, bodyBytesMax, source }) => ({
      method,
      pattern,
      placement,
      bodyBytesMax,
      source,
    })),
    files: files.map(({ prefix, root }) => ({ prefix, root })),
  };
}

function describeForPeople({ routes, files }: Manifest): string[] {
  if (routes.length === 0 && files.length === 0) return ["The application declares no routes"];
  const [title = "", ...lines] = table([
    ["METHOD", "PATTERN", "RUNS ON", "BODY LIMIT", "DECLARED AT"],
    ...routes.map(routeRow),
    ...files.map(({ prefix, root }) => ["files", prefix, "edge", "", readablePath(root)]),
  ]);
  return [styled("dim", title), ...lines];
}

function routeRow(route: RouteManifest): string[] {
  const { method, pattern, placement, bodyBytesMax, source } = route;
  return [method === "*" ? "any" : method, pattern, placement, bytesText(bodyBytesMax), source];
}

/** A number of bytes in the largest unit that holds it without a fraction. */
function bytesText(bytes: number): string {
  if (bytes > 0 && bytes % 1_048_576 === 0) return `${bytes / 1_048_576} MiB`;
  if (bytes > 0 && bytes % 1_024 === 0) return `${bytes / 1_024} KiB`;
  return `${bytes} B`;
}
