/** Where to listen: a TCP port of a host, or a Unix socket. */
export type ListenAddress =
  { readonly host: string; readonly port: number } | { readonly path: string };

/** Where a listener listens, for people: `http://localhost:8080` or `unix:/run/app.sock`. */
export function describeAddress(address: ListenAddress): string {
  if ("path" in address) return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `http://${host}:${address.port}`;
}
