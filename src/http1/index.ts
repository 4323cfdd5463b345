/** The HTTP/1 wire as a library of its own: `millrace/http1`. */
export { chunkEnd, chunkHead, lastChunk, lastChunkWith, textChunk } from "./chunk-text.ts";
export { type ParserLimits, defaultParserLimits } from "./limits.ts";
export { type ParserSink, RequestParser } from "./parser.ts";
export {
  ResponseSerializer,
  type ResponseSerializerOptions,
  UNKNOWN_LENGTH,
  isBodiless,
} from "./serializer.ts";
export { statusLine } from "./status.ts";
export { reasonPhrase } from "../core/reason-phrase.ts";
export { HeaderError, serializeHeaderFields } from "../core/header-text.ts";
export { ProtocolError } from "../core/errors.ts";
