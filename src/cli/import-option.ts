import type { OptionSpec } from "./command.ts";

/** `--import`, which every command that loads an application has. */
export const importOption: OptionSpec = {
  value: "MODULE",
  multiple: true,
  summary: "Import a module before the application, here and in every worker: a loader, e.g. tsx",
};
