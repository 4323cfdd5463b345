/** The text a server answers; `"cut"` when the connection ends without an answer. */
export function textOf(url: string, path: string): Promise<string> {
  return fetch(`${url}${path}`).then(
    (response) => response.text(),
    () => "cut",
  );
}
