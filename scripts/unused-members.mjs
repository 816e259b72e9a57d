// Owns the check that production code uses each member of its classes and interfaces; use in tests does not count. Compares names only, so
// an unused member is not found when another used member has its name; Knip does the rest. Prints a line for each finding, and `{ passed,
// failed }` at the end.
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { projectFolder } from './project.mjs';
import { readTree } from './tree-rules.mjs';

const product = /^(services|electron|renderer)\/.*\.tsx?$/;
const testing = /\.test\.tsx?$|\/testing\/|^services\/integration\//;

/**
 * @param {import('./tree-rules.mjs').Tree} tree
 * @returns {{ checked: number, unused: string[] }} the number of members, and those whose names production code never reads
 */
export function unusedMembers({ files, read }) {
  /** @type {Set<string>} */
  const used = new Set();
  /** @type {{ place: string, name: string }[]} */
  const members = [];
  for (const file of files.filter((each) => product.test(each) && !testing.test(each))) {
    /** @param {ts.Node} node */
    const visit = (node) => {
      if (ts.isPropertyAccessExpression(node)) used.add(node.name.text);
      else if (ts.isStringLiteral(node)) used.add(node.text);
      else if (ts.isBindingElement(node)) {
        const name = node.propertyName ?? node.name;
        if (ts.isIdentifier(name)) used.add(name.text);
      } else if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name)) {
        // Members of contracts are sent to other processes, so they count as used.
        if (file.startsWith('services/contracts/')) used.add(node.name.text);
      } else if (ts.isClassLike(node) || ts.isInterfaceDeclaration(node)) {
        for (const { name } of node.members)
          if (name !== undefined && ts.isIdentifier(name))
            members.push({ place: `${file}: ${node.name?.text ?? 'class'}`, name: name.text });
      }
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, false));
  }
  const unused = members.filter(({ name }) => !used.has(name)).map(({ place, name }) => `${place}.${name}`);
  return { checked: members.length, unused };
}

/** The check runs only if this file is run as a command. seeded-violations.mjs imports the check. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { checked, unused } = unusedMembers(readTree(projectFolder));
  for (const member of unused) process.stdout.write(`${member}: no code that ships reads this member\n`);
  const failed = unused.length + (checked === 0 ? 1 : 0);
  process.exitCode = failed === 0 ? 0 : 1;
  process.stdout.write(`${JSON.stringify({ passed: failed === 0 ? 1 : 0, failed })}\n`);
}
