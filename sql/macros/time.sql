-- Europe/London clock time to UTC, and back. The repeated hour of October is read as its first pass (summer time); an
-- hour that March skips is read as if the clock had not been put forward. Both readings are stated on the methodology
-- page.
create or replace macro london_to_utc(clock) as (
    case
        when
            timezone(
                'Europe/London', timezone('UTC', timezone('UTC', timezone('Europe/London', clock)) - interval 1 hour)
            ) = clock
            then timezone('UTC', timezone('Europe/London', clock)) - interval 1 hour
        else timezone('UTC', timezone('Europe/London', clock))
    end
);

create or replace macro utc_to_london(instant) as timezone('Europe/London', timezone('UTC', instant));

-- Latest instant (UTC) that a recorded clock time allows: itself, or the last microsecond of its day.
create or replace macro latest_instant(clock, recorded_precision) as (
    case
        when recorded_precision = 'date' then london_to_utc(clock + interval 1 day) - interval 1 microsecond
        else london_to_utc(clock)
    end
);
