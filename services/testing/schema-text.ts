// Owns the text form of message schemas for the documents: one line for each field, with its bounds. A test compares this text with the
// documents.
import { z } from 'zod';

export type NamedShapes = ReadonlyMap<z.ZodType, string>;

/** Descriptions of text patterns for people. */
const patterns: ReadonlyMap<string, string> = new Map([
  ['^[0-9a-f]{16}$', '16 hex digits'],
  ['^[0-9a-f]{32}$', '32 hex digits'],
  ['^[0-9a-f]{64}$', '64 hex digits'],
  ['^[0-9A-F]{2}(:[0-9A-F]{2}){31}$', 'SHA-256 as AB:CD:...'],
  ['^[A-Za-z0-9+/]{43}=$', 'base64 of 32 bytes'],
  ['^[A-Za-z0-9+/]*={0,2}$', 'base64'],
  ['^[^\\p{Cc}]*$', 'text without control characters'],
  ['^[^\\p{Cc}]+$', 'text without control characters'],
]);

interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly anyOf?: readonly JsonSchema[];
  readonly propertyNames?: unknown;
}

/**
 * Returns the lines of one object: two blanks, the field, its form. Nested objects follow with two more blanks.
 * @throws when the schema has a construct without a text form
 */
export function shapeLines(shape: z.ZodType, named: NamedShapes, indent = '  '): string[] {
  if (!(shape instanceof z.ZodObject) || named.has(shape)) return [`${indent}${formOf(shape, named)}`];
  const fields: [string, z.ZodType][] = Object.entries(shape.shape);
  if (fields.length === 0) return [`${indent}nothing`];
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.flatMap(([name, field]) => {
    const inner = innerObject(field, named);
    const line = `${indent}${name.padEnd(width)}  ${formOf(field, named)}`;
    return inner === undefined ? [line] : [line, ...shapeLines(inner, named, `${indent}  `)];
  });
}

/** The unnamed object inside optional, nullable and list wrappers. */
function innerObject(schema: z.ZodType, named: NamedShapes): z.ZodObject | undefined {
  if (named.has(schema)) return undefined;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return innerObject(schema.unwrap() as z.ZodType, named);
  if (schema instanceof z.ZodArray) return innerObject(schema.element as z.ZodType, named);
  const rows = rowsOf(schema);
  if (rows !== undefined) return innerObject(rows.row, named);
  return schema instanceof z.ZodObject ? schema : undefined;
}

/** The row schema of a row list, from the list's metadata. */
function rowsOf(schema: z.ZodType): { readonly row: z.ZodType; readonly max: number } | undefined {
  const { row, max } = schema.meta() ?? {};
  return row instanceof z.ZodType ? { row, max: Number(max) } : undefined;
}

function formOf(schema: z.ZodType, named: NamedShapes): string {
  const name = named.get(schema);
  if (name !== undefined) return name;
  if (schema instanceof z.ZodOptional) return `${formOf(schema.unwrap() as z.ZodType, named)}; optional`;
  if (schema instanceof z.ZodNullable) return `${formOf(schema.unwrap() as z.ZodType, named)}, or null`;
  if (schema instanceof z.ZodUnion)
    return (schema.options as z.ZodType[]).map((option) => formOf(option, named)).join(', or ');
  if (schema instanceof z.ZodArray) {
    const { minItems = 0, maxItems } = z.toJSONSchema(schema) as { minItems?: number; maxItems?: number };
    const count = maxItems === undefined ? `at least ${minItems}` : `${minItems} to ${maxItems}`;
    const item = formOf(schema.element as z.ZodType, named);
    return `list of ${count}${item === 'object' ? '' : `: ${item}`}`;
  }
  if (schema instanceof z.ZodObject) return 'object';
  const rows = rowsOf(schema);
  if (rows !== undefined) {
    const item = formOf(rows.row, named);
    const count = Number.isFinite(rows.max) ? `list of 0 to ${rows.max}` : 'list';
    return `${count}${item === 'object' ? '' : `: ${item}`}; invalid rows are ignored`;
  }
  // For a schema that converts its input, the sent form counts.
  if (schema instanceof z.ZodPipe) return formOf(schema.in as z.ZodType, named);
  if (schema instanceof z.ZodCatch || schema instanceof z.ZodDefault)
    return formOf(schema.unwrap() as z.ZodType, named);
  if (schema instanceof z.ZodRecord) return 'object with names of its own';
  return leafText(z.toJSONSchema(schema) as JsonSchema);
}

function leafText(leaf: JsonSchema): string {
  if (leaf.const !== undefined) return JSON.stringify(leaf.const);
  if (leaf.enum !== undefined) return leaf.enum.join(' | ');
  if (leaf.type === 'boolean') return 'true | false';
  if (leaf.type === 'integer' || leaf.type === 'number') {
    const what = leaf.type === 'integer' ? 'whole number' : 'number';
    if (leaf.type === 'integer' && leaf.minimum === 0 && isUnbounded(leaf.maximum)) return 'count';
    const max = isUnbounded(leaf.maximum) ? undefined : leaf.maximum;
    const min = leaf.minimum ?? (leaf.exclusiveMinimum === undefined ? undefined : leaf.exclusiveMinimum + 1);
    if (min === undefined || min === Number.MIN_SAFE_INTEGER) return max === undefined ? what : `${what} up to ${max}`;
    return max === undefined ? `${what} from ${min}` : `${what} from ${min} to ${max}`;
  }
  if (leaf.type !== 'string') throw new Error(`The document has no words for ${JSON.stringify(leaf)}`);
  if (leaf.format === 'date-time') return 'time';
  const { pattern } = leaf;
  const form = pattern === undefined ? 'text' : (patterns.get(pattern) ?? `text that matches ${pattern}`);
  const { minLength, maxLength } = leaf;
  if (minLength !== undefined && maxLength !== undefined) return `${form}, ${minLength} to ${maxLength} characters`;
  return maxLength === undefined ? form : `${form}, at most ${maxLength} characters`;
}

const isUnbounded = (max: number | undefined): boolean => max === undefined || max === Number.MAX_SAFE_INTEGER;
