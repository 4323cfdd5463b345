import { MillraceError } from "../core/errors.ts";
import { parseArguments, UsageError, type Command } from "./command.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { nearestOf } from "../core/nearest.ts";
import { routesCommand } from "./routes.ts";
import { serveCommand } from "./serve.ts";
import { flush, print, printError } from "./terminal.ts";
import { version } from "./version.ts";

const commands: readonly Command[] = [serveCommand, routesCommand];

/**
 * Runs the command line.
 * @param argv what follows `millrace`
 * @returns the exit code: 0 done; 1 it could not be done; 2 the command line was wrong; 128 + n
 *   stopped by signal n
 */
export async function main(argv: readonly string[]): Promise<number> {
  const code = await runReporting(argv);
  await flush();
  return code;
}

async function runReporting(argv: readonly string[]): Promise<number> {
  try {
    return await run(argv);
  } catch (error) {
    if (error instanceof UsageError) {
      printError(error.message);
      return 2;
    }
    if (!(error instanceof MillraceError)) throw error;
    printError(error.message);
    return 1;
  }
}

async function run(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  switch (name) {
    case undefined:
      throw new UsageError(`Give a command\n\n${generalHelp(commands)}`);
    case "--version":
    case "-v":
      print(`millrace ${version}`);
      return 0;
    case "--help":
    case "-h":
    case "help":
      print(help(rest[0]));
      return 0;
    default: {
      const command = findCommand(name);
      const parsed = parseArguments(command, rest);
      if (parsed !== "help") return command.run(parsed);
      print(commandHelp(command));
      return 0;
    }
  }
}

function help(name: string | undefined): string {
  return name === undefined ? generalHelp(commands) : commandHelp(findCommand(name));
}

function findCommand(name: string): Command {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  throw new UsageError(`There is no command ${name}${suggestionFor(name)}`);
}

function suggestionFor(name: string): string {
  if (/\.[cm]?[jt]sx?$/.test(name)) return `. To serve that file: millrace serve ${name}`;
  const names = commands.map((command) => command.name);
  if (name.startsWith("-"))
    return `: options follow the command, e.g. millrace serve app.ts ${name}`;
  const guess = nearestOf(name, [...names, "help"]);
  if (guess !== undefined) return `. Did you mean ${guess}?`;
  return `; there are ${names.join(", ")} and help`;
}
