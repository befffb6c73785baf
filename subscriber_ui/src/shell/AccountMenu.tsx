import AccountCircle from "@mui/icons-material/AccountCircleOutlined";
import Button from "@mui/material/Button";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { createLink, useNavigate, useRouterState } from "@tanstack/react-router";
import { useState } from "react";

import { notify } from "../elements/notices";
import { RouterButton } from "../elements/RouterLink";
import { signOut, useSession } from "../session/session";

const LinkItem = createLink(MenuItem);

export function AccountMenu() {
  const session = useSession();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const navigate = useNavigate();
  const here = useRouterState({ select: (state) => state.location.href });
  if (session.state === "unknown") return null;
  if (session.state === "out") {
    return (
      <RouterButton to="/login" search={{ next: here }} variant="contained" size="small">
        Log in
      </RouterButton>
    );
  }
  const close = () => setAnchor(null);
  const leave = async () => {
    close();
    try {
      await signOut();
    } catch {
      notify("The server was not told: end the session in your settings later.", "error");
    }
    await navigate({ to: "/" });
  };
  return (
    <>
      <Button
        color="inherit"
        startIcon={<AccountCircle />}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{ maxWidth: 180 }}
      >
        {session.me.handle}
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={close}>
        <LinkItem to="/settings/profile" onClick={close}>
          Settings
        </LinkItem>
        <LinkItem to="/settings/api-keys" onClick={close}>
          API keys
        </LinkItem>
        <LinkItem to="/invoices" onClick={close}>
          Invoices
        </LinkItem>
        <MenuItem onClick={() => void leave()}>Log out</MenuItem>
      </Menu>
    </>
  );
}
