/** Clients that are processes of their own: they have their own descriptors and their own core. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pinned } from "./affinity.ts";
import { BenchError } from "./errors.ts";

/** A client of this folder, spoken to by messages: each question gets one answer. */
export interface ClientProcess<Question extends object, Answer extends object> {
  /** Throws `BenchError` when the client dies or does not answer within `timeoutMs`. */
  ask(question: Question, timeoutMs: number): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts `bench/<file>`, pinned to a CPU when one is given. */
export function startClient<Question extends object, Answer extends object>(
  file: string,
  cpu: number | null,
): ClientProcess<Question, Answer> {
  const [command = "", ...args] = pinned([process.execPath, join(import.meta.dirname, file)], cpu);
  const child = spawn(command, args, { stdio: ["ignore", 2, 2, "ipc"] });
  const gone = once(child, "exit").then(([code]) => {
    throw new BenchError("CLIENT_EXIT", `${file} ended (${code}) before it answered`);
  });
  gone.catch(() => {}); // Only of interest to a question that is under way.
  return {
    async ask(question, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      const answer = once(child, "message", { signal });
      child.send(question);
      const [message] = (await Promise.race([answer, gone])) as [Answer | { error: string }];
      if ("error" in message) throw new BenchError("CLIENT", `${file}: ${message.error}`);
      return message;
    },
    async stop() {
      child.kill("SIGKILL");
      await gone.catch(() => {});
    },
  };
}

/** The client's end: answers each message with what `answer` resolves to, or with its error. */
export function answerMessages<Question extends object, Answer extends object>(
  answer: (question: Question) => Promise<Answer>,
): void {
  process.on("message", (question: Question) => {
    answer(question).then(
      (result) => process.send?.(result),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
  process.on("disconnect", () => process.exit());
}
