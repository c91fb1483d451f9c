-- 95% intervals as OHID publishes them (technical guide; R package PHEindicatormethods). 1.959963984540054 is the
-- 97.5th percentile of the standard normal distribution.

-- Byar's limits of a Poisson count; below 10 the exact limits (chi-squared quantiles), tabulated, since SQL has no
-- quantile function: chi2(0.025, 2o) / 2 and chi2(0.975, 2o + 2) / 2 for o = 0 to 9. A test recomputes them with
-- scipy.
create or replace macro poisson_lower(o) as (
    case
        when o < 10
            then
                [
                    0.000000000000,
                    0.025317807984,
                    0.242209278544,
                    0.618672122896,
                    1.089865373626,
                    1.623486390118,
                    2.201894253491,
                    2.814363051520,
                    3.453832176749,
                    4.115373097378
                ][o::bigint + 1]::double
        else o * (1 - 1 / (9 * o) - 1.959963984540054 / (3 * sqrt(o))) ** 3
    end
);

create or replace macro poisson_upper(o) as (
    case
        when o < 10
            then
                [
                    3.688879454114,
                    5.571643390939,
                    7.224687667724,
                    8.767273069742,
                    10.241588675404,
                    11.668332079323,
                    13.059474022519,
                    14.422675361702,
                    15.763189220193,
                    17.084803451419
                ][o::bigint + 1]::double
        else (o + 1) * (1 - 1 / (9 * (o + 1)) + 1.959963984540054 / (3 * sqrt(o + 1))) ** 3
    end
);

-- Wilson's limits of the proportion x of n.
create or replace macro wilson_lower(x, n) as (
    (2 * x + 1.959963984540054 ** 2 - 1.959963984540054 * sqrt(1.959963984540054 ** 2 + 4 * x * (1 - x / n)))
    / (2 * (n + 1.959963984540054 ** 2))
);

create or replace macro wilson_upper(x, n) as (
    (2 * x + 1.959963984540054 ** 2 + 1.959963984540054 * sqrt(1.959963984540054 ** 2 + 4 * x * (1 - x / n)))
    / (2 * (n + 1.959963984540054 ** 2))
);

-- The value of an indicator and its limits from its two parts; null where there is no denominator to divide by.
create or replace macro indicator_value(method, numerator, denominator, per) as (
    case
        when method = 'count' then numerator::double
        when denominator > 0 then per * numerator / denominator
    end
);

create or replace macro indicator_lower(method, numerator, denominator, per) as (
    case
        when method = 'rate' and denominator > 0 then per * poisson_lower(numerator) / denominator
        when method = 'proportion' and denominator > 0 and numerator <= denominator
            then wilson_lower(numerator, denominator)
    end
);

create or replace macro indicator_upper(method, numerator, denominator, per) as (
    case
        when method = 'rate' and denominator > 0 then per * poisson_upper(numerator) / denominator
        when method = 'proportion' and denominator > 0 and numerator <= denominator
            then wilson_upper(numerator, denominator)
    end
);
