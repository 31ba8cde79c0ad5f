"""Which part of the data a loader or dataset is."""


def roles(train, infos, evaluations, epochs):
    """(train, validation, test) among the loaders; None where none was seen.

    evaluations: (loader, epoch) and more, one for each time the model was run on a loader without training, in order.
    Loaders that were never iterated take the places left, in the order of their making.
    """
    seen = {id(train.dataset)} if train is not None else set()

    def fresh(candidates):
        found = []
        for info in candidates:
            if id(info.dataset) not in seen:
                seen.add(id(info.dataset))
                found.append(info)
        return found

    evaluated = fresh(e[0] for e in evaluations)
    unused = fresh(sorted(infos, key=lambda i: i.order))
    if len(evaluated) == 1 and epochs > 1 and all(e[1] == epochs for e in evaluations if e[0] is evaluated[0]):
        return train, unused[0] if unused else None, evaluated[0]
    found = (evaluated + unused + [None, None])[:2]
    return train, found[0], found[1]
