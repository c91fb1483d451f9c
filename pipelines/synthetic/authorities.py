"""Which authority is responsible for which looked-after child, so that published totals are met.

Belongs here: sharing simulated children out to authorities and thinning episodes to a total. Does not: where
a child is placed (`region`). A heavy tail makes a small authority's total swing by half from draw to draw;
sharing children out by what is still wanted, then dropping the surplus at random, meets the totals for any seed.
"""

import numpy as np

from pipelines.synthetic.children import Bools, Floats, Ints


def share_out(child: Ints, year: Ints, *, children: Floats, incidents: Floats) -> Ints:
    """Give each child to one authority, so that children and incidents approach the wanted shares.

    Args:
        child: Child number of each episode, from 0 without gaps, shape (episodes,).
        year: Year number of each episode, from 0, shape (episodes,).
        children: Wanted children a year, shape (authorities, years).
        incidents: Wanted incidents a year, shape (authorities, years).

    Returns:
        Authority index of each child, shape (children,).
    """
    count = int(child.max(initial=-1)) + 1
    years = incidents.shape[1]
    episodes = np.zeros((count, years))
    np.add.at(episodes, (child, year), 1.0)
    held = np.stack([episodes, (episodes > 0).astype(np.float64)], axis=2)
    wanted = np.stack([incidents, children], axis=2)
    # The wanted totals are stretched to what there is: a share is met whatever the draw came to.
    wanted = np.maximum(wanted * (held.sum(axis=0) / np.maximum(wanted.sum(axis=0), 1e-9)), 1e-6)
    given = np.zeros_like(wanted)
    owner = np.zeros(count, dtype=np.int64)
    # Largest first: the last, small ones can mend what the large ones left uneven.
    for number in np.argsort(-episodes.sum(axis=1), kind="stable"):
        rise = (held[number] * (2 * (given - wanted) + held[number]) / wanted).sum(axis=(1, 2))
        chosen = int(np.argmin(rise))
        owner[number] = chosen
        given[chosen] += held[number]
    return owner


def thin(rng: np.random.Generator, group: Ints, wanted: Floats) -> Bools:
    """Keep at most `wanted[g]` episodes of each group, chosen at random.

    Args:
        rng: Source of chance.
        group: Group number of each episode, shape (episodes,).
        wanted: Most episodes to keep of each group, shape (groups,).

    Returns:
        Which episodes stay, shape (episodes,).
    """
    order = np.lexsort((rng.random(group.size), group))
    ranked = group[order]
    place = np.arange(group.size) - np.searchsorted(ranked, ranked)
    mask = np.zeros(group.size, dtype=np.bool_)
    mask[order] = place < np.round(wanted)[ranked]
    return mask
