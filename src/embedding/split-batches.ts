export interface BatchLimits {
  /** Texts in one call. */
  readonly maxTexts: number;
  /** Estimated tokens in one call. A text that alone has more goes alone. */
  readonly maxTokens: number;
}

/** Positions of `texts` in calls of bounded size: each position once, in order, no call empty. */
export function splitBatches(texts: readonly string[], { maxTexts, maxTokens }: BatchLimits): readonly number[][] {
  const batches: number[][] = [];
  let batch: number[] = [];
  let tokens = 0;
  for (const [position, text] of texts.entries()) {
    const own = estimateTokens(text);
    if (batch.length > 0 && (batch.length >= maxTexts || tokens + own > maxTokens)) {
      batches.push(batch);
      batch = [];
      tokens = 0;
    }
    batch.push(position);
    tokens += own;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/**
 * The head of a text that a model can read whole: models refuse what is longer, and what a text is about stands at its
 * beginning more often than not. Never ends inside a character.
 */
export function headOf(text: string, maxTokens: number): string {
  if (text.length * tokensPerOther <= maxTokens) return text;
  let thirds = 0;
  for (let index = 0; index < text.length; index += 1) {
    thirds += thirdsOf(text.charCodeAt(index));
    if (thirds > maxTokens * 3) return text.slice(0, isLowSurrogate(text.charCodeAt(index)) ? index - 1 : index);
  }
  return text;
}

/** Tokens of a text by its characters, rather too many than too few: three ASCII letters a token, else 1.5 tokens each. */
export function estimateTokens(text: string): number {
  let thirds = 0;
  for (let index = 0; index < text.length; index += 1) thirds += thirdsOf(text.charCodeAt(index));
  return Math.ceil(thirds / 3);
}

const tokensPerOther = 1.5;

// In thirds of a token, so that sums stay whole numbers but for the halves.
function thirdsOf(unit: number): number {
  return unit < 128 ? 1 : 3 * tokensPerOther;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
