// Owns reading untrusted BER as a tree, by asn1js with its limits on depth and nodes. Must not know what the structures mean.
import * as asn1js from 'asn1js';

/** Real PFX files have some hundred nodes; the deepest one is about 20 levels deep. */
const limits = { maxDepth: 60, maxNodes: 20_000, copyInput: true } as const;

/** Thrown for every structure that is not the expected one; import turns this error into 'certificate.malformed'. */
export class BerError extends Error {
  override readonly name = 'BerError';
}

/** One element of the tree. Every accessor checks the type and throws BerError. */
export class BerNode {
  readonly #node: asn1js.AsnType;

  private constructor(node: asn1js.AsnType) {
    this.#node = node;
  }

  /** Reads the first element of `bytes` and ignores what follows, as other programs do (padding after a PFX is common). */
  static parse(bytes: Uint8Array): BerNode {
    let parsed: asn1js.FromBerResult;
    try {
      parsed = asn1js.fromBER(bytes, limits);
    } catch (error) {
      throw new BerError('not BER', { cause: error });
    }
    if (parsed.offset === -1 || parsed.result.error !== '') throw new BerError(`not BER: ${parsed.result.error}`);
    return new BerNode(parsed.result);
  }

  isSequence(): boolean {
    return this.#node instanceof asn1js.Sequence;
  }

  isInteger(): boolean {
    return this.#node instanceof asn1js.Integer;
  }

  isOid(): boolean {
    return this.#node instanceof asn1js.ObjectIdentifier;
  }

  isOctetString(): boolean {
    return this.#node instanceof asn1js.OctetString;
  }

  /** Context-specific tag number, or undefined. */
  contextTag(): number | undefined {
    return this.#node.idBlock.tagClass === 3 ? this.#node.idBlock.tagNumber : undefined;
  }

  /** Elements of a SEQUENCE, a SET or a constructed context tag. */
  children(): BerNode[] {
    const node = this.#node;
    if (
      node instanceof asn1js.Sequence ||
      node instanceof asn1js.Set ||
      (node instanceof asn1js.Constructed && this.contextTag() !== undefined)
    ) {
      return node.valueBlock.value
        .filter((child) => !(child instanceof asn1js.EndOfContent))
        .map((child) => new BerNode(child as asn1js.AsnType));
    }
    throw new BerError('expected a constructed element');
  }

  child(index: number): BerNode {
    const child = this.children()[index];
    if (child === undefined) throw new BerError(`expected an element ${index}`);
    return child;
  }

  oid(): string {
    if (this.#node instanceof asn1js.ObjectIdentifier) return this.#node.valueBlock.toString();
    throw new BerError('expected an OBJECT IDENTIFIER');
  }

  /** @throws BerError unless the element is an INTEGER of at most 1024 bits */
  integer(): bigint {
    const node = this.#node;
    if (!(node instanceof asn1js.Integer)) throw new BerError('expected an INTEGER');
    const bytes = node.valueBlock.valueHexView;
    if (bytes.length === 0 || bytes.length > 128) throw new BerError('INTEGER out of range');
    return BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
  }

  /** @throws BerError unless the element is an INTEGER from 0 to 2^31 - 1 */
  smallInteger(): number {
    const value = this.integer();
    if (value < 0n || value > 0x7fff_ffffn) throw new BerError('INTEGER out of range');
    return Number(value);
  }

  /** Content of an OCTET STRING, in one piece or in several (BER), or of an implicit context tag in place of one. */
  octets(): Buffer {
    const node = this.#node;
    if (node instanceof asn1js.OctetString) {
      if (!node.idBlock.isConstructed) return Buffer.from(node.valueBlock.valueHexView);
      return Buffer.concat(
        node.valueBlock.value
          .filter((part) => part instanceof asn1js.OctetString)
          .map((part) => new BerNode(part).octets()),
      );
    }
    if (this.contextTag() !== undefined) {
      if (node instanceof asn1js.Primitive) return Buffer.from(node.valueBlock.valueHexView);
      return Buffer.concat(this.children().map((part) => part.octets()));
    }
    throw new BerError('expected an OCTET STRING');
  }

  text(): string | undefined {
    const node = this.#node;
    return node instanceof asn1js.BmpString ||
      node instanceof asn1js.Utf8String ||
      node instanceof asn1js.PrintableString
      ? node.getValue()
      : undefined;
  }

  /** The bytes of the element as in the input. */
  raw(): Buffer {
    return Buffer.from(this.#node.valueBeforeDecodeView);
  }
}
