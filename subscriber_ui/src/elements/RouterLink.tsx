import Button, { type ButtonProps } from "@mui/material/Button";
import Link, { type LinkProps } from "@mui/material/Link";
import { createLink } from "@tanstack/react-router";

/** MUI's link and button, to addresses of ours. */
export const RouterLink = createLink((props: LinkProps) => <Link {...props} />);
export const RouterButton = createLink((props: ButtonProps<"a">) => (
  <Button component="a" {...props} />
));
