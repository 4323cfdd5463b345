import type { Command, OptionSpec } from "./command.ts";
import { table } from "./table.ts";
import { styled } from "./terminal.ts";
import { version } from "./version.ts";

/** What `millrace --help` prints. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map((command) => [`  ${command.name} <app.ts>`, command.summary]);
  return [
    `Millrace ${version}, a web application server:`,
    "an edge loop does the I/O, worker threads run the handlers",
    "",
    styled("bold", "Usage: millrace <command> <app.ts> [options]"),
    "",
    ...table([...rows, ["  help <command>", "Show what a command can be told"]]),
    "",
    "  -h, --help, -v, --version",
  ].join("\n");
}

/** What `millrace help serve` prints. */
export function commandHelp(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]) => optionRow(name, option));
  return [
    styled("bold", `Usage: millrace ${command.name} <app.ts> [options]`),
    "",
    command.description,
    "",
    ...table([...rows, ["  -h, --help", "Show this"]]),
  ].join("\n");
}

function optionRow(name: string, option: OptionSpec): readonly string[] {
  const value = option.value === undefined ? "" : ` ${option.value}`;
  return [
    `  --${name}${value}`,
    option.summary + (option.multiple === true ? " (repeatable)" : ""),
  ];
}
