/** The `file:` URL of a module in `test/fixtures/`, for tests that load it into worker threads. */
export function fixtureUrl(name: string): string {
  return new URL(`../fixtures/${name}`, import.meta.url).href;
}
