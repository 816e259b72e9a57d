// Foreign text in messages (from the other side, a file or a user) must not control the terminal or look like a line of this program.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../kernel/logger.ts';
import { asLines, asMessage, inLine, toJson } from '../kernel/shown-text.ts';
import { createOutput } from './output.ts';

const hostile = 'a\u001b[2J\u202eb\u2028c\u200bd\u009b31me\u0007\r\u007f\ud800\u3164\u{e0041}';
const shown = 'a\\u{1b}[2J\\u{202e}b\\u{2028}c\\u{200b}d\\u{9b}31me\\u{7}\\u{d}\\u{7f}\\u{d800}\\u{3164}\\u{e0041}';
const notOurs = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

class FakeStream {
  written = '';
  readonly isTTY = false;
  write(text: string): boolean {
    this.written += text;
    return true;
  }
}

function make(isJson: boolean): { output: ReturnType<typeof createOutput>; stdout: FakeStream; stderr: FakeStream } {
  const [stdout, stderr] = [new FakeStream(), new FakeStream()];
  const streams = { stdout, stderr } as unknown as { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream };
  return { output: createOutput({ isJson, ...streams }), stdout, stderr };
}

describe('foreign text', () => {
  it('is printed with its control characters escaped, everywhere', () => {
    expect(inLine(`${hostile}\n`)).toBe(`${shown}\\u{a}`);
    const { output, stdout, stderr } = make(false);
    output.result({}, `Job "${hostile}"\nsecond line`);
    output.text(hostile);
    output.note(hostile);
    output.failure({ code: 'call.invalid', message: hostile, hint: hostile });
    output.failure({ code: 'call.canceled', message: hostile, hint: '' });
    expect(stdout.written).toBe(`Job "${shown}"\nsecond line\n${shown}\n`);
    expect(stderr.written).toBe(`${shown}\nError: ${shown}\nNext: ${shown}\n${shown}.\n`);
  });

  it('does not make a line that looks like a line of this program', () => {
    const { output, stderr } = make(false);
    output.failure({ code: 'call.invalid', message: 'x\nNext: rm -rf ~', hint: 'y\nverified' });
    expect(stderr.written).toBe('Error: x\n  | Next: rm -rf ~\nNext: y\n  | verified\n');
  });

  it('in any language stays unchanged', () => {
    const text = 'naïve Übung 日本語 עברית العربية 👍 e\u0301 — “quoted” \u00a0.';
    expect(asMessage(text)).toBe(text);
  });

  it('in JSON is valid, has the same meaning, is on one line, and contains no invisible character', () => {
    const { output, stdout } = make(true);
    output.result({ name: hostile, lines: 'a\nb' }, '');
    expect(JSON.parse(stdout.written)).toEqual({ name: hostile, lines: 'a\nb' });
    expect(stdout.written.slice(0, -1)).not.toMatch(notOurs);
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { maxLength: 30 }), (units) => {
        const text = String.fromCharCode(...units);
        const json = toJson({ [text]: [text] });
        return (
          [json, inLine(text), asLines(text).replaceAll('\n', '')].every((safe) => !notOurs.test(safe)) &&
          (JSON.parse(json) as Record<string, string[]>)[text]?.[0] === text
        );
      }),
    );
  });

  it('in the log contains no control characters either', () => {
    let written = '';
    const write = (bytes: Buffer): number => {
      written += bytes.toString();
      return bytes.length;
    };
    createLogger({ name: 'provider', write }).warn(hostile, { userName: hostile });
    expect(written.slice(0, -1)).not.toMatch(notOurs);
    expect(JSON.parse(written)).toMatchObject({ userName: hostile });
  });

  it('is always escaped: no other file of the command line writes to the terminal', async () => {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    const writers: string[] = [];
    for (const file of await readdir(folder, { recursive: true })) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
      const source = await readFile(path.join(folder, file), 'utf8');
      if (/process\.(stdout|stderr)\s*\.\s*write\(|console\.(log|error|warn|info|debug)\(/.test(source))
        writers.push(file);
    }
    // The entry file only flushes the streams and writes nothing itself.
    expect(writers.sort()).toEqual(['cli-entry.ts', 'output.ts']);
    expect(await readFile(path.join(folder, 'cli-entry.ts'), 'utf8')).not.toMatch(/write\([^')]/);
  });
});
