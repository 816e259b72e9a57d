// A gateway in its own process that records every byte which it reads or writes on any socket, on both sides. Arguments: home, file for the
// recording. Talks to the test over the process channel. Must not be used by the product.
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net, { type SocketConstructorOpts } from 'node:net';

const [home = '', recording = ''] = process.argv.slice(2);

function record(bytes: Uint8Array | string | undefined): void {
  if (bytes !== undefined) appendFileSync(recording, bytes);
}

interface OnRead {
  callback(lengthBytes: number, buffer: Uint8Array): boolean;
}

/** Records reads into the gateway's own buffers; relayed bytes are not seen by a stream. */
function withRecordedReads<Options extends object>(options: Options): Options {
  const onread = (options as { onread?: OnRead }).onread;
  if (onread === undefined) return options;
  return {
    ...options,
    onread: {
      ...onread,
      callback: (lengthBytes: number, buffer: Uint8Array) => {
        record(Buffer.from(buffer.buffer, buffer.byteOffset, lengthBytes));
        return onread.callback(lengthBytes, buffer);
      },
    },
  };
}

/** A Proxy and not a class, because Node itself calls this constructor without `new`. */
const RecordingSocket = new Proxy(net.Socket, {
  construct: (target, [options, ...rest]: [SocketConstructorOpts | undefined, ...unknown[]], newTarget) =>
    Reflect.construct(
      target,
      [options === undefined ? options : withRecordedReads(options), ...rest],
      newTarget,
    ) as net.Socket,
});

type Chunk = Uint8Array | string;
interface Inner {
  push(chunk: Chunk | null, encoding?: BufferEncoding): boolean;
  _write(chunk: Chunk, encoding: BufferEncoding, done: () => void): void;
  _writev(chunks: { chunk: Chunk; encoding: BufferEncoding }[], done: () => void): void;
}
const inner = net.Socket.prototype as unknown as Inner;
const { push, _write, _writev } = inner;
inner.push = function (chunk, encoding) {
  if (chunk !== null) record(chunk);
  return push.call(this, chunk, encoding);
};
inner._write = function (chunk, encoding, done) {
  record(chunk);
  _write.call(this, chunk, encoding, done);
};
inner._writev = function (chunks, done) {
  for (const { chunk } of chunks) record(chunk);
  _writev.call(this, chunks, done);
};
const connect = net.connect as unknown as (options: object, ...rest: unknown[]) => net.Socket;
Object.assign(net, {
  Socket: RecordingSocket,
  connect: (options: object, ...rest: unknown[]) => connect(withRecordedReads(options), ...rest),
});
syncBuiltinESMExports();

// Imported here, after the replacements above, so that the gateway's own imports get them.
const [{ startGateway }, { gatewayConfigSchema }, { systemClock }, { silentLogger }] = await Promise.all([
  import('../../gateway/service.ts'),
  import('../../gateway/config.ts'),
  import('../../kernel/clock.ts'),
  import('../../kernel/logger.ts'),
]);
const gateway = await startGateway({
  home,
  config: gatewayConfigSchema.parse({ name: 'recorded', listen: [{ host: '127.0.0.1', port: 0 }] }),
  logger: silentLogger,
  clock: systemClock,
  version: 'test',
});
process.on('message', (token: string) => {
  void gateway.enroll({ token, replace: false }).then(() => process.send?.('enrolled'));
});
process.on('disconnect', () => process.exit(0));
process.send?.(gateway.addresses[0]?.port);
