/**
 * Bodies up to this size cross between edge and worker whole, in the message that carries their
 * request or answer. Larger ones stream with credit, so that neither side buffers without bound. 64
 * KiB: what one read of a socket returns at most, and where a copy starts to cost more than a
 * message.
 */
export const wholeBytesMax = 65_536;

/**
 * How much of one streamed body may be on its way between edge and worker, unread. Twice the whole
 * size: one half travels while the other is read.
 */
export const creditBytes = 131_072;
