/** Anything that runs: started once, drained, disposed of. */
export interface Service extends AsyncDisposable {
  /**
   * Resolves when it serves; rejects, leaving nothing behind, when it can't or when `signal`
   * aborts.
   */
  start(signal?: AbortSignal): Promise<void>;
  /**
   * Finishes what was accepted, takes nothing new. What is left when `deadline` aborts is
   * abandoned.
   */
  drain(deadline: AbortSignal): Promise<void>;
}
