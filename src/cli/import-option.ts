import type { OptionSpec } from "./command.ts";

/** `--import`, which every command that loads an application has. */
export const importOption: OptionSpec = {
  value: "MODULE",
  multiple: true,
  summary: "Import a module first, here and in workers: a loader, say",
};
