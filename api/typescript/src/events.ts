// What is pushed: server-sent events over fetch, because EventSource can send no proof.

/** One message of a stream. `data` is absent where only the position moved. */
export interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
}

/** The messages of a stream, as they come. Comments, which keep the connection alive, are no messages. */
export async function* messages(stream: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const reader = stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let kept = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (kept + value).split(/\r?\n\r?\n/);
      kept = blocks.pop() ?? "";
      for (const block of blocks) {
        const message = parse(block);
        if (message.id !== undefined || message.data !== undefined) yield message;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parse(block: string): Message {
  const fields = new Map<string, string[]>();
  for (const line of block.split(/\r?\n/)) {
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name !== "") fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  const [id, event, data] = [fields.get("id")?.at(-1), fields.get("event")?.at(-1), fields.get("data")?.join("\n")];
  return { ...(id !== undefined && { id }), ...(event !== undefined && { event }), ...(data !== undefined && { data }) };
}
