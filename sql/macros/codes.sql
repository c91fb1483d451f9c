-- A list of codes as senders write it, separated by ";": sorted, without doubles and blanks; empty where there is none.
-- Most lists hold one code, which is taken as it is: list functions are slow.
create or replace macro code_list(written) as (
    case
        when trim(coalesce(written, '')) = '' then []::varchar[]
        when not contains(written, ';') then [trim(written)]
        else
            list_sort(
                list_distinct(list_filter(string_split(replace(written, ' ', ''), ';'), lambda code: code <> ''))
            )
    end
);
