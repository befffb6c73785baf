import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import FormGroup from "@mui/material/FormGroup";

import { Field } from "../elements/Field";
import { type EventName, EVENTS } from "./webhooks";

export interface WebhookBody {
  url: string;
  description: string;
  events: EventName[];
}

interface Props {
  body: WebhookBody;
  onChange: (body: WebhookBody) => void;
  refused: unknown;
}

/** Where to, what of, and what for. */
export function WebhookFields({ body, onChange, refused }: Props) {
  const toggle = (event: EventName, isOn: boolean) =>
    onChange({
      ...body,
      events: isOn ? [...body.events, event] : body.events.filter((each) => each !== event),
    });
  return (
    <>
      <Field
        name="url"
        label="Address"
        type="url"
        autoFocus
        required
        value={body.url}
        onChange={(event) => onChange({ ...body, url: event.target.value })}
        refused={refused}
        helperText="https://, under a public name"
      />
      <Field
        name="description"
        label="Description"
        value={body.description}
        onChange={(event) => onChange({ ...body, description: event.target.value })}
        refused={refused}
      />
      <FormGroup aria-label="Events">
        {EVENTS.map(([event, when]) => (
          <FormControlLabel
            key={event}
            control={
              <Checkbox
                size="small"
                checked={body.events.includes(event)}
                onChange={(change) => toggle(event, change.target.checked)}
              />
            }
            label={`${event}: ${when}`}
          />
        ))}
      </FormGroup>
    </>
  );
}
