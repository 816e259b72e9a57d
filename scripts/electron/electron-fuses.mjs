// Owns Electron's fuses: switches in the executable that are set once before shipping. Must not change anything else in the file.
//
// The format (Electron's documentation, "Electron Fuses"): a sentinel of 32 ASCII characters, once in the executable; one byte with the
// version of the format, 1; one byte with the number of fuses; then one byte for each fuse.
import { SetUpError } from '../project.mjs';

const sentinel = Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX', 'latin1');
const formatVersion = 1;
const states = { off: 0x30, on: 0x31, removed: 0x72, inherit: 0x90 };

/** The fuses that this project sets, by their position in the format. */
export const fuse = {
  /** Electron accepts `--inspect` and similar options, which the end-to-end tests need. */
  nodeCliInspect: 3,
  /** The main process has its own V8 snapshot, `browser_v8_context_snapshot.bin`. */
  browserV8Snapshot: 6,
};

/**
 * Sets fuses in the bytes of an executable, in place.
 * @param {Buffer} executable
 * @param {ReadonlyMap<number, boolean>} settings by the position of the fuse
 * @throws {SetUpError} when the bytes do not have the format or a fuse is missing; the bytes are then unchanged
 */
export function setFuses(executable, settings) {
  const start = executable.indexOf(sentinel);
  if (start === -1) throw unusable('it has no fuses');
  if (executable.includes(sentinel, start + 1)) throw unusable('it has fuses twice');
  const versionAt = start + sentinel.length;
  const version = executable[versionAt];
  if (version !== formatVersion) throw unusable(`its fuses have version ${version}, known is ${formatVersion}`);
  const count = executable[versionAt + 1] ?? 0;
  const first = versionAt + 2;
  for (const place of settings.keys()) {
    const state = place < count ? executable[first + place] : undefined;
    if (state === undefined) throw unusable(`it has no fuse ${place}`);
    if (state === states.removed) throw unusable(`its fuse ${place} was removed`);
    if (!Object.values(states).includes(state)) throw unusable(`its fuse ${place} has the unknown state ${state}`);
  }
  for (const [place, isOn] of settings) executable[first + place] = isOn ? states.on : states.off;
}

/** @param {string} reason */
function unusable(reason) {
  return new SetUpError(
    `The fuses of this Electron cannot be set: ${reason}.`,
    'Let ELECTRON_OVERRIDE_DIST_PATH name the unpacked folder of an Electron release.',
  );
}
