// `npm test` after set-up: runs each check as a stage with its own time limit. Fails when any tool fails; its last line of output is "N
// passed, N failed". `npm test -- --only unit services/wire` runs one stage and passes the other arguments to its tool.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildConsole } from './build-console.mjs';
import { buildFolder, inProject, projectFolder, reportAndExit, requirePinnedNode, SetUpError } from './project.mjs';
import { isSeenToFail, rememberSeenToFail, ruleFilesHash } from './rule-files.mjs';
import { runCommand } from './run-command.mjs';
import { ensureConsole, hasDisplay, say } from './setup.mjs';
import { ensureLegacyOpenSsl, ensurePrograms } from './system-libraries.mjs';
import { startVirtualDisplay } from './virtual-display.mjs';

/**
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} failed
 * @property {string} output shown when something failed
 * @property {string[]} [skipped] names of tests that did not run; always shown
 * @property {string[]} [failures] each failed test, with the first line of its message; shown again below the summary
 *
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} about
 * @property {boolean} [isQuiet] its output is shown only when it fails, and it may run beside another stage
 * @property {() => string | undefined} [whyLeftOut] the reason not to run it unless it is requested; always shown
 * @property {(args: readonly string[]) => Promise<Outcome>} run
 */

const minuteMs = 60_000;

/** @param {readonly string[]} command a script of a package below node_modules (run by the pinned Node.js), and its arguments */
async function runTool([script = '', ...args], deadlineMs = 5 * minuteMs) {
  // Two checks run at a time, so the tools written in Go get one core each too.
  const env = { ...process.env, GOMAXPROCS: '1' };
  return runCommand(requirePinnedNode(), [inProject(script), ...args], { cwd: projectFolder, env, deadlineMs });
}

/** Runs a check that passes or fails as a whole. @param {readonly string[]} command */
async function wholeCheck(command) {
  const { exitCode, output } = await runTool(command);
  return exitCode === 0 ? { passed: 1, failed: 0, output } : { passed: 0, failed: 1, output };
}

/** Runs a check of this project; its last line is JSON, `{ passed, failed }`. @param {readonly string[]} command */
async function countedCheck(command) {
  const { exitCode, output, stdout } = await runTool(command);
  const lastLine = stdout.trim().split('\n').at(-1) ?? '';
  if (!/^\{"passed":\d+,"failed":\d+\}$/.test(lastLine)) return { passed: 0, failed: 1, output };
  const { passed, failed } = JSON.parse(lastLine);
  return { passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed, output };
}

/** Adds the outcomes of several checks. @param {...Outcome} outcomes @returns {Outcome} */
function together(...outcomes) {
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    output: outcomes
      .filter(({ failed }) => failed > 0)
      .map(({ output }) => output)
      .join('\n'),
  };
}

/** @param {readonly string[]} args @returns {Promise<Outcome>} */
async function unitTests(args) {
  // The tests make certificates with openssl: Farkeep's own code must not be the only check of itself.
  await ensurePrograms(['openssl'], { say, user: 'The test suite' });
  await ensureLegacyOpenSsl({ say, user: 'The test suite' });
  const report = path.join(buildFolder, 'reports', 'unit.json');
  rmSync(report, { force: true });
  const { exitCode } = await runCommand(
    requirePinnedNode(),
    [
      inProject('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ],
    {
      cwd: projectFolder,
      env: { ...process.env, PATH: pathWithPinnedNode() },
      deadlineMs: 25 * minuteMs,
      show: 'stdout',
    },
  );
  if (!existsSync(report)) return { passed: 0, failed: 1, output: `vitest wrote no report (exit code ${exitCode})` };
  const result = JSON.parse(readFileSync(report, 'utf8'));
  /** @type {{ status: string, fullName: string, failureMessages: string[] }[]} */
  const tests = result.testResults.flatMap(
    (/** @type {{ assertionResults: unknown[] }} */ file) => file.assertionResults,
  );
  const failures = tests
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages: [message = ''] }) => `${fullName}: ${firstLine(message)}`);
  const failed = tests.filter(({ status }) => status === 'failed').length;
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    // A file that cannot be loaded, or an error outside of any test, is not counted as a failed test.
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    output: '',
    skipped: tests.filter(({ status }) => status !== 'failed' && status !== 'passed').map(({ fullName }) => fullName),
    failures,
  };
}

/** @param {string} text */
function firstLine(text) {
  return (text.split('\n', 1)[0] ?? '').slice(0, 300);
}

function pathWithPinnedNode() {
  return [path.dirname(requirePinnedNode()), process.env['PATH']].join(path.delimiter);
}

/** @param {readonly string[]} args @returns {Promise<Outcome>} */
async function endToEndTests(args) {
  const electron = await ensureConsole();
  await buildConsole({ say });
  say(`end-to-end tests run on ${electron.description}`);
  // One display for each worker: consoles on the same display would take the focus from each other.
  const count = hasDisplay() ? 0 : Number(process.env['FARKEEP_TEST_WORKERS'] ?? 2);
  const displays = await Promise.all(Array.from({ length: count }, () => startVirtualDisplay()));
  const report = path.join(buildFolder, 'reports', 'e2e.json');
  rmSync(report, { force: true });
  try {
    const { exitCode } = await runCommand(
      requirePinnedNode(),
      [inProject('node_modules', '@playwright', 'test', 'cli.js'), 'test', '--config', inProject('e2e'), ...args],
      {
        cwd: projectFolder,
        env: {
          ...process.env,
          ...(displays.length === 0 ? {} : { FARKEEP_TEST_DISPLAYS: displays.map(({ display }) => display).join(',') }),
          PATH: pathWithPinnedNode(),
          // Pictures for people are taken only on request: `npm run screenshots`.
          ...(args.includes('--project=screenshots') ? { FARKEEP_SCREENSHOTS: '1' } : {}),
          FARKEEP_TEST_ELECTRON: electron.executable,
          PLAYWRIGHT_JSON_OUTPUT_FILE: report,
        },
        deadlineMs: 25 * minuteMs,
        show: 'stdout',
      },
    );
    if (!existsSync(report))
      return { passed: 0, failed: 1, output: `Playwright wrote no report (exit code ${exitCode})` };
    return readPlaywrightReport(JSON.parse(readFileSync(report, 'utf8')), exitCode);
  } finally {
    await Promise.all(displays.map((display) => display.stop()));
  }
}

/**
 * @param {{ stats: { expected: number, unexpected: number, flaky: number }, suites: unknown[] }} report
 * @param {number} exitCode
 * @returns {Outcome}
 */
function readPlaywrightReport({ stats, suites }, exitCode) {
  /** @type {string[]} */
  const skipped = [];
  /** @type {string[]} */
  const failures = [];
  /** @param {any} suite */
  const visit = (suite) => {
    for (const spec of suite.specs ?? []) {
      if (!spec.ok) failures.push(spec.title);
      if (spec.tests.some((/** @type {{ status: string }} */ test) => test.status === 'skipped'))
        skipped.push(spec.title);
    }
    for (const inner of suite.suites ?? []) visit(inner);
  };
  for (const suite of suites) visit(suite);
  // A test that passes only at the second try counts as failed.
  const failed = stats.unexpected + stats.flaky;
  return { passed: stats.expected, failed: failed === 0 && exitCode !== 0 ? 1 : failed, output: '', skipped, failures };
}

/** @type {readonly Stage[]} */
const stages = [
  {
    name: 'types',
    about: 'TypeScript, one project per runtime',
    isQuiet: true,
    run: async () =>
      together(
        await wholeCheck(['node_modules/native-typescript/bin/tsc', '--build', '--singleThreaded']),
        // Scripts that run before set-up run on the machine's own Node.js.
        await wholeCheck(['node_modules/native-typescript/bin/tsc', '--project', 'scripts/tsconfig.set-up.json']),
      ),
  },
  {
    name: 'lint',
    about: 'Oxlint with types, ESLint with the "only user" rules',
    isQuiet: true,
    run: async () =>
      together(
        await wholeCheck(['node_modules/oxlint/bin/oxlint', '--deny-warnings', '--threads=1']),
        await wholeCheck(['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.']),
      ),
  },
  {
    name: 'format',
    about: 'Prettier',
    isQuiet: true,
    run: () => wholeCheck(['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']),
  },
  {
    name: 'imports',
    about: 'import rules of the layer table',
    isQuiet: true,
    run: () =>
      wholeCheck([
        'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
        '--config',
        '.dependency-cruiser.mjs',
        '--output-type',
        'err-long',
        'services',
        'electron',
        'renderer',
        'e2e',
        'bench',
      ]),
  },
  {
    name: 'seeded',
    about: 'each rule reports a violation that is made for it',
    isQuiet: true,
    whyLeftOut: () =>
      process.env['FARKEEP_ALL_RULES'] !== '1' && isSeenToFail(ruleFilesHash())
        ? 'no file of a rule changed since its last green run; "npm test -- --only seeded" and .ci/run run it'
        : undefined,
    run: async () => {
      const hash = ruleFilesHash();
      const outcome = await countedCheck(['scripts/seeded-violations.mjs']);
      if (outcome.failed === 0 && outcome.passed > 0) rememberSeenToFail(hash);
      return outcome;
    },
  },
  {
    name: 'unused',
    about: 'unused files, exports, dependencies; what only tests use',
    isQuiet: true,
    run: async () => {
      const knip = ['node_modules/knip/bin/knip.js', '--no-progress'];
      return together(
        await wholeCheck(knip),
        // Knip runs without the tests, so code that only tests use counts as unused.
        await wholeCheck([...knip, '--production']),
        await countedCheck(['scripts/unused-members.mjs']),
      );
    },
  },
  {
    name: 'tree',
    about: 'no machine paths, registry hosts or secrets; every dependency explained',
    isQuiet: true,
    run: () => countedCheck(['scripts/tree-rules.mjs']),
  },
  { name: 'unit', about: 'unit, property and integration tests', run: unitTests },
  { name: 'e2e', about: 'the real console in the real Electron', run: endToEndTests },
];

/** @param {readonly string[]} args */
function parseArguments(args) {
  /** @type {Set<string>} */
  const only = new Set();
  /** @type {Set<string>} */
  const skip = new Set();
  /** @type {string[]} */
  const passedOn = [];
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    if (argument === '--only' || argument === '--skip') {
      index += 1;
      for (const name of (args[index] ?? '').split(',')) (argument === '--only' ? only : skip).add(name);
    } else passedOn.push(argument);
  }
  const unknown = [...only, ...skip].filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0 || (passedOn.length > 0 && only.size !== 1)) {
    throw new SetUpError(
      unknown.length > 0
        ? `There is no stage "${unknown.join('", "')}".`
        : `"${passedOn.join(' ')}" can only be passed to one stage; use --only with one stage.`,
      `npm test -- [--only STAGE[,STAGE]] [--skip STAGE[,STAGE]] [ARGUMENTS OF THE ONLY STAGE]; stages: ${stages.map(({ name }) => name).join(', ')}.`,
    );
  }
  const requested = stages.filter(({ name }) => (only.size === 0 || only.has(name)) && !skip.has(name));
  /** @type {Map<string, string>} stage to the reason why it does not run */
  const leftOut = new Map();
  for (const stage of stages) {
    const reason = requested.includes(stage) ? undefined : 'on request';
    const why = reason ?? (only.has(stage.name) ? undefined : stage.whyLeftOut?.());
    if (why !== undefined) leftOut.set(stage.name, why);
  }
  return { chosen: requested.filter(({ name }) => !leftOut.has(name)), leftOut, passedOn };
}

/** @param {Stage} stage @param {readonly string[]} passedOn */
async function runStage(stage, passedOn) {
  if (stage.isQuiet !== true) process.stdout.write(`\n==> ${stage.name}: ${stage.about}\n`);
  const startedAt = performance.now();
  /** @type {Outcome} */
  let outcome;
  try {
    outcome = await stage.run(passedOn);
  } catch (error) {
    const text = error instanceof SetUpError ? `${error.message}\nNext: ${error.nextStep}` : String(error);
    outcome = { passed: 0, failed: 1, output: text };
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const isGood = outcome.failed === 0 && outcome.passed > 0;
  const line = `${isGood ? 'ok    ' : 'FAILED'}  ${stage.name.padEnd(8)} ${seconds.padStart(6)} s  ${counts(outcome)}`;
  process.stdout.write(`${line}${stage.isQuiet === true ? `  ${stage.about}` : ''}\n`);
  if (!isGood && outcome.output.trim() !== '') process.stdout.write(`${outcome.output.trim()}\n\n`);
  if (outcome.failed === 0 && outcome.passed === 0) process.stdout.write('No check ran; that is a failure.\n');
  return { ...outcome, failed: isGood ? 0 : Math.max(1, outcome.failed), line };
}

/** @param {Outcome} outcome */
const counts = ({ passed, failed, skipped = [] }) =>
  `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;

async function main() {
  const { chosen, leftOut, passedOn } = parseArguments(process.argv.slice(2));
  mkdirSync(path.join(buildFolder, 'reports'), { recursive: true });

  /** @type {Awaited<ReturnType<typeof runStage>>[]} */
  const outcomes = [];
  // The quiet checks use one core each and share nothing, so two run at a time.
  const quiet = chosen.filter((stage) => stage.isQuiet === true);
  const waiting = [...quiet];
  const worker = async () => {
    for (let stage = waiting.shift(); stage !== undefined; stage = waiting.shift())
      outcomes.push(await runStage(stage, passedOn));
  };
  await Promise.all([worker(), worker()]);
  for (const stage of chosen.filter((each) => each.isQuiet !== true)) outcomes.push(await runStage(stage, passedOn));

  process.stdout.write('\nSummary\n');
  for (const { line } of outcomes) process.stdout.write(`  ${line}\n`);
  for (const why of new Set(leftOut.values())) {
    const names = [...leftOut.keys()].filter((name) => leftOut.get(name) === why);
    process.stdout.write(`  left out: ${names.join(', ')} (${why})\n`);
  }
  for (const name of outcomes.flatMap(({ skipped = [] }) => skipped)) process.stdout.write(`  skipped: ${name}\n`);
  for (const name of outcomes.flatMap(({ failures = [] }) => failures)) process.stdout.write(`  failed: ${name}\n`);
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  process.exitCode = failed === 0 ? 0 : 1;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
}

try {
  await main();
} catch (error) {
  process.once('exit', () => process.stdout.write('0 passed, 1 failed\n'));
  reportAndExit(error);
}
