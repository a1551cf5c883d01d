import type { ControlRoute } from "../control/control-route.ts";
import { routes } from "../control/routes.ts";
import type { Permission } from "../core/roles.ts";
import { allPermissions, permissions, roleNames, roles } from "../core/roles.ts";

/** The reference page of roles, permissions and the routes that ask for them, in Markdown. */
export function printPermissions(): string {
  return [
    "# Roles and permissions",
    "",
    "Printed by `gatehouse users roles`; a test keeps this page equal to the tables, and another tries every route with",
    "every role. How to use them: [Roles](../guides/roles.md).",
    "",
    "## Roles",
    "",
    ...table(
      ["Role", ""],
      roleNames.map((name) => [`\`${name}\``, roles[name].summary]),
    ),
    "",
    "## Permissions",
    "",
    "A permission that may be held *per team* is what a role for a team gives; the others come with roles for the whole",
    "installation only.",
    "",
    ...table(
      ["Permission", "May be held", "", ...roleNames.map((name) => `\`${name}\``)],
      allPermissions.map((name) => [
        `\`${name}\``,
        permissions[name].per === "team" ? "per team" : "for the installation",
        permissions[name].summary,
        ...roleNames.map((role) => (has(role, name) ? "yes" : "")),
      ]),
    ),
    "",
    "## Routes",
    "",
    ...table(
      ["Route", "Asks for"],
      routes().map((route) => [`\`${route.method.toUpperCase()} ${route.path}\``, asks(route)]),
    ),
    "",
  ].join("\n");
}

function has(role: (typeof roleNames)[number], permission: Permission): boolean {
  return (roles[role].permissions as readonly Permission[]).includes(permission); // each role's list is narrower
}

function asks({ access }: ControlRoute): string {
  if (access === "public") return "nothing";
  return access === "gateway" ? "a gateway's token" : `\`${access.permission}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
