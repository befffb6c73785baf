import Print from "@mui/icons-material/PrintOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import GlobalStyles from "@mui/material/GlobalStyles";
import Paper from "@mui/material/Paper";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { answer, api, type Schemas } from "../api/client";
import { Awaited, Lines } from "../elements/Awaited";
import { PageHead } from "../elements/PageHead";
import { RouterButton } from "../elements/RouterLink";
import { Instant } from "../format/Instant";
import { money } from "../format/numbers";
import { Period } from "./Period";

const route = getRouteApi("/invoices/$number");

// On paper there is the invoice and nothing around it.
const ON_PAPER = {
  "@media print": {
    "header, footer, nav, .no-print": { display: "none !important" },
    "@page": { margin: "18mm" },
    // Paper is white, whatever the theme.
    ":root, :root[data-theme]": {
      colorScheme: "light",
      "--mui-palette-background-default": "#fff",
      "--mui-palette-background-paper": "#fff",
      "--mui-palette-text-primary": "#000",
      "--mui-palette-text-secondary": "#333",
      "--mui-palette-divider": "#bbb",
      "--mui-palette-TableCell-border": "#bbb",
    },
  },
};

export function InvoicePage() {
  const { number } = route.useParams();
  const invoice = useQuery({
    queryKey: ["invoices", number],
    queryFn: () => invoiceOf(number),
  });
  return (
    <>
      <GlobalStyles styles={ON_PAPER} />
      <PageHead
        title={`Invoice ${number}`}
        actions={
          <Box className="no-print" sx={{ display: "flex", gap: 1 }}>
            <RouterButton to="/invoices">All invoices</RouterButton>
            <Button
              variant="outlined"
              startIcon={<Print />}
              disabled={invoice.data === undefined}
              onClick={() => print()}
            >
              Print
            </Button>
          </Box>
        }
      />
      <Awaited query={invoice} skeleton={<Lines count={8} />}>
        {(found) => <Invoice invoice={found} />}
      </Awaited>
    </>
  );
}

async function invoiceOf(number: string): Promise<Schemas["InvoiceDetail"]> {
  const headers = { Accept: "application/json" }; // a browser's own would ask for the page
  const found = await answer(
    api.GET("/v1/invoices/{number}", { params: { path: { number } }, headers }),
  );
  return found as Schemas["InvoiceDetail"];
}

function Invoice({ invoice }: { invoice: Schemas["InvoiceDetail"] }) {
  const { currency } = invoice;
  return (
    <Paper sx={{ p: { xs: 2, sm: 4 }, maxWidth: 760 }}>
      <Box
        component="dl"
        sx={{
          display: "grid",
          gridTemplateColumns: { xs: "1fr", sm: "1fr 1fr" },
          gap: 1.5,
          mt: 0,
          mb: 3,
        }}
      >
        <Fact label="Subscriber">{invoice.subscriber}</Fact>
        <Fact label="Signal">{invoice.signal}</Fact>
        <Fact label="Period">
          <Period of={invoice} />
        </Fact>
        <Fact label="Issued">
          <Instant at={invoice.issued_at} />
        </Fact>
        <Fact label="Paid">
          <Instant at={invoice.paid_at} />
        </Fact>
        <Fact label="Paid through">
          {invoice.payment_provider === "manual"
            ? "test payments: no money moved"
            : invoice.payment_provider}
        </Fact>
      </Box>
      <Table size="small">
        <TableHead>
          <TableRow>
            <TableCell>What</TableCell>
            <TableCell align="right">Amount</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {invoice.lines.map((line, at) => (
            <TableRow key={at}>
              <TableCell>{line.description}</TableCell>
              <TableCell align="right">{money(line.amount_minor, currency)}</TableCell>
            </TableRow>
          ))}
          <TableRow>
            <TableCell component="th" scope="row" sx={{ fontWeight: 650 }}>
              Paid
            </TableCell>
            <TableCell align="right" sx={{ fontWeight: 650 }}>
              {money(invoice.amount_minor - invoice.credit_minor, currency)}
            </TableCell>
          </TableRow>
          {invoice.reversals.map((reversal, at) => (
            <TableRow key={at}>
              <TableCell>
                {reversal.kind === "refund" ? "Refunded" : "Charged back"}{" "}
                <Instant at={reversal.happened_at} />
              </TableCell>
              <TableCell align="right">{money(-reversal.amount_minor, currency)}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </Paper>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Box>
      <Typography variant="caption" color="textSecondary" component="dt">
        {label}
      </Typography>
      <Typography component="dd" sx={{ m: 0 }}>
        {children}
      </Typography>
    </Box>
  );
}
