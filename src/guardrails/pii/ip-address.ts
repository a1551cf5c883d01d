import { isIPv6 } from "node:net";
import type { Recogniser } from "./recogniser.ts";

/** IP addresses of people and machines; not those that mean none in particular, such as `127.0.0.1` and `::1`. */
export const ipAddress: Recogniser = {
  id: "ip-address",
  title: "IP address",
  label: "IP_ADDRESS",
  digits: 4,
  pattern:
    /(?<![\w.:])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)|(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?![\w:])/gi,
  accept(match, says) {
    if (match.includes(":")) return match.length > 4 && isIPv6(match) && !/^::(?:1|)$|^[\d:]{1,8}$/.test(match);
    return (
      !/^(?:0\.|127\.|255\.255\.)|\.0\.0\.0$/.test(match) &&
      !says(/\b(?:v|ver|version|release|build|firmware|section|chapter|clause)[.:]?\s?$/i, "before")
    );
  },
};
