-- The table for the answers; a call that was refused and made again has a row for each answer.
CREATE TABLE api_responses (
    call_id       uuid        NOT NULL,
    called_at     timestamptz NOT NULL,
    event_id      text        NOT NULL,
    event_source  text        NOT NULL,
    request       text        NOT NULL,
    status        integer     NOT NULL,
    headers       jsonb       NOT NULL,
    body          text        NOT NULL,
    body_encoding text        NOT NULL,
    body_cut      boolean     NOT NULL,
    attempts      integer     NOT NULL,
    latency_ms    integer     NOT NULL,
    s3_key        text        NOT NULL,
    PRIMARY KEY (call_id, called_at)
);
