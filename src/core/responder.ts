/**
 * Where an answer goes: out on a connection (edge), or into the batch that goes back to the edge
 * (worker). Exactly one of `answer` or `start` is called; after `start`, any number of `write` and
 * then one of `end` or `fail`.
 */
export interface Responder {
  /**
   * A whole answer.
   * @param headerText serialised, validated fields without framing: `name: value\r\n…`
   * @param body its bytes as a latin1 string, one character a byte: one string is the cheapest
   *   thing to post to another thread and to write to a socket
   */
  answer(status: number, headerText: string, body: string): void;
  /**
   * The head of an answer whose body follows in chunks.
   * @param length bytes that will follow, or −1 when that isn't known
   */
  start(status: number, headerText: string, length: number): void;
  /**
   * One chunk, which must not change afterwards. When the reader is behind, a promise that resolves
   * once there is room again; awaiting it is a duty.
   */
  write(chunk: Uint8Array): Promise<void> | undefined;
  end(): void;
  /** The body broke after `start`: the client must see a cut message, never a complete one. */
  fail(error: unknown): void;
  /** False once the client is gone: whatever is written now goes nowhere, so stop making it. */
  readonly open: boolean;
}
