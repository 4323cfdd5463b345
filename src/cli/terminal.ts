import { styleText } from "node:util";

type Format = "bold" | "cyan" | "dim" | "red" | "yellow";

// Whoever read what we print may go away (`millrace serve app.ts | head -3`). That must not end a
// server.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

/** Prints a line on standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints why something can't be done, on standard error. */
export function printError(message: string): void {
  process.stderr.write(`${errorStyled("red", "millrace:")} ${message}\n`);
}

/** Prints what is worth knowing while the server goes on, on standard error. */
export function printWarning(message: string): void {
  process.stderr.write(`${errorStyled("yellow", "millrace:")} ${message}\n`);
}

/**
 * Styles text for standard output, if that is a terminal which shows styles (`NO_COLOR` and the
 * like count).
 */
export function styled(format: Format, text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

/** Whether standard output is a terminal. */
export function isTerminal(): boolean {
  return process.stdout.isTTY;
}

/** Resolves once everything printed has left this process, or can't any more. */
export async function flush(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise<void>((resolve) => void stream.write("", () => resolve())),
    ),
  );
}

function errorStyled(format: Format, text: string): string {
  return styleText(format, text, { stream: process.stderr });
}
