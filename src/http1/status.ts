/** Status lines, RFC 9112 §4, and the reason phrases of the IANA registry of status codes. */

/** Registered codes with their phrases. 306 and 418 are registered as unused, so have none. */
const reasons: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  104: "Upload Resumption Supported",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  208: "Already Reported",
  226: "IM Used",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  305: "Use Proxy",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  506: "Variant Also Negotiates",
  507: "Insufficient Storage",
  508: "Loop Detected",
  510: "Not Extended",
  511: "Network Authentication Required",
};

const lines = new Map<number, string>();

/** The registered phrase of `status`, or "" for a code without one. */
export function reasonPhrase(status: number): string {
  return reasons[status] ?? "";
}

/**
 * `HTTP/1.1 200 OK\r\n` for `status`; with an empty phrase after its space when the code has none
 * (RFC 9112 §4).
 *
 * @throws RangeError when `status` is no integer from 100 to 599, the only ones that mean anything
 *   (RFC 9110 §15).
 */
export function statusLine(status: number): string {
  const known = lines.get(status);
  if (known !== undefined) return known;
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw new RangeError(`Cannot answer with status ${status}: give an integer from 100 to 599`);
  }
  const line = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  lines.set(status, line);
  return line;
}
