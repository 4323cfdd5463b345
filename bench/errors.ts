/** A measurement that could not be made, or whose result would not mean what its name says. */
export class BenchError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BenchError";
    this.code = code;
  }
}
