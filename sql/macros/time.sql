-- Europe/London clock time to UTC, and back. The repeated hour of October is read as its first pass (summer time); an
-- hour that March skips is read as if the clock had not been put forward. Both readings are stated on the methodology
-- page. Where the other pass would change an answer, latest_instant says so.
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

-- The other reading of a clock time: the second pass (winter time) of October's repeated hour; else the same instant.
create or replace macro london_to_utc_second_pass(clock) as timezone('UTC', timezone('Europe/London', clock));

-- A clock time that cannot lie before an instant: its first pass, unless only the second one is late enough.
create or replace macro london_to_utc_not_before(clock, instant) as (
    case
        when london_to_utc(clock) < instant then london_to_utc_second_pass(clock)
        else london_to_utc(clock)
    end
);

-- Latest instant (UTC) that a recorded clock time allows: the last microsecond of its day where only the day is known,
-- the second pass of the repeated hour, else itself.
create or replace macro latest_instant(clock, recorded_precision) as (
    case
        when recorded_precision = 'date' then london_to_utc(clock + interval 1 day) - interval 1 microsecond
        else london_to_utc_second_pass(clock)
    end
);

-- First day of the year to March that a day lies in.
create or replace macro year_to_march(day) as (date_trunc('year', day - interval 3 months) + interval 3 months)::date;
