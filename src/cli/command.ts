import { parseArgs } from "node:util";
import { MillraceError } from "../core/errors.ts";
import { nearestOf } from "../core/nearest.ts";

/** An option of a command. */
export interface OptionSpec {
  /** What stands for its value in the help, e.g. `"PORT"`; an option without is a switch. */
  readonly value?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  readonly summary: string;
}

/** A command of `millrace`. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What it does, for its help page. */
  readonly description: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Does it, and returns the exit code. */
  run(args: Arguments): Promise<number>;
}

/** The command line is wrong: code `USAGE`, exit code 2. The message says what is wanted. */
export class UsageError extends MillraceError {
  constructor(message: string) {
    super("USAGE", message);
  }
}

/** What a command was given: the application's file, and options that its table knows. */
export class Arguments {
  readonly app: string;
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(app: string, values: ReadonlyMap<string, readonly string[]>) {
    this.app = app;
    this.#values = values;
  }

  /** The value of an option, of several the last. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** All values of an option, in order. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}

/** Reads what follows a command's name; `"help"` when that is asked for. Throws UsageError. */
export function parseArguments(command: Command, argv: readonly string[]): Arguments | "help" {
  const files: string[] = [];
  const values = new Map<string, string[]>();
  for (const token of tokenize(command, argv)) {
    if (token.kind === "positional") files.push(token.value);
    if (token.kind !== "option") continue;
    if (token.name === "help") return "help";
    checkOption(command, token);
    const given = values.get(token.name) ?? [];
    given.push(token.value ?? "");
    values.set(token.name, given);
  }
  const [app, ...more] = files;
  if (app === undefined) {
    throw new UsageError(`Which application? Give its file: millrace ${command.name} app.ts`);
  }
  if (more.length > 0) {
    throw new UsageError(`millrace ${command.name} takes one file; ${more.join(", ")} is too much`);
  }
  return new Arguments(app, values);
}

function tokenize(command: Command, argv: readonly string[]) {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {
    help: { type: "boolean", short: "h" },
  };
  for (const [name, spec] of Object.entries(command.options)) {
    options[name] = { type: spec.value === undefined ? "boolean" : "string" };
  }
  // Not strict: its messages know no nearest name.
  const settings = { args: [...argv], options, strict: false, tokens: true } as const;
  return parseArgs({ ...settings, allowPositionals: true }).tokens;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function checkOption(command: Command, token: OptionToken): void {
  const { name, rawName, value, inlineValue } = token;
  const spec = Object.hasOwn(command.options, name) ? command.options[name] : undefined;
  if (spec === undefined) {
    const guess = nearestOf(name, [...Object.keys(command.options), "help"]);
    const way =
      guess === undefined ? `millrace help ${command.name} lists them` : `Did you mean --${guess}?`;
    throw new UsageError(`millrace ${command.name} has no option ${rawName}. ${way}`);
  }
  if (spec.value === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
  } else if (
    value === undefined ||
    value === "" ||
    (value.startsWith("-") && inlineValue !== true)
  ) {
    throw new UsageError(`${rawName} wants a value: ${rawName} ${spec.value}`);
  }
}
