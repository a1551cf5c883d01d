import type { PlainObject, RuleFunction, RuleResult } from "./rule-function.ts";
import { isObject, objectsOf } from "./rule-function.ts";

/** Functions that look at an AsyncAPI document of 2.x or 3.x, whose references are followed. */
export const asyncRules: Readonly<Record<string, RuleFunction>> = {
  /** Each message has a media type, its own or that of the document. */
  contentTypes(document) {
    if (!isObject(document) || typeof document["defaultContentType"] === "string") return [];
    return Object.entries(isObject(document["channels"]) ? document["channels"] : {}).flatMap(([name, channel]) =>
      messagesOf(channel).flatMap(({ message, path }): RuleResult[] =>
        typeof message["contentType"] === "string"
          ? []
          : [{ message: "has no media type", path: ["channels", name, ...path] }],
      ),
    );
  },
};

interface PlacedMessage {
  readonly message: PlainObject;
  readonly path: readonly (string | number)[];
}

/** In 3.x a channel has `messages` by name; in 2.x each of its two operations has one, or several to choose from. */
function messagesOf(channel: unknown): readonly PlacedMessage[] {
  if (!isObject(channel)) return [];
  const named = Object.entries(isObject(channel["messages"]) ? channel["messages"] : {}).flatMap(([name, message]) =>
    isObject(message) ? [{ message, path: ["messages", name] }] : [],
  );
  const older = ["publish", "subscribe"].flatMap((verb): readonly PlacedMessage[] => {
    const operation = channel[verb];
    const message = isObject(operation) ? operation["message"] : undefined;
    if (!isObject(message)) return [];
    if (!Array.isArray(message["oneOf"])) return [{ message, path: [verb, "message"] }];
    return objectsOf(message["oneOf"]).map(({ index, item }) => ({
      message: item,
      path: [verb, "message", "oneOf", index],
    }));
  });
  return [...named, ...older];
}
