# What R says where scipy has nothing, or something else: its nine types of quantiles, the interval of wilcox.test(conf.int = TRUE),
# exact rank tests with ties, and ptukey. Writes r.json beside this file. Needs exactRankTests (Debian: r-cran-exactranktests).
#
#     Rscript Tests/Fixtures/statistics/reference.R Tests/Fixtures/statistics/r.json
suppressMessages(library(exactRankTests))
set.seed(20240917)

number <- function(x) if (is.infinite(x)) stop("JSON has no infinity") else sprintf("%.17g", x)
numbers <- function(x) paste0("[", paste(vapply(x, number, ""), collapse = ", "), "]")
question <- function(kind, groups, expected, options = "") {
  groups <- paste(vapply(groups, numbers, ""), collapse = ", ")
  expected <- paste(sprintf("\"%s\": %s", names(expected), vapply(expected, numbers, "")), collapse = ", ")
  sprintf("{\"kind\": \"%s\", \"groups\": [%s], %s\"expected\": {%s}}", kind, groups, options, expected)
}
cases <- character()
add <- function(...) cases <<- c(cases, question(...))

# Hyndman and Fan's types under numpy's names.
types <- c("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull", "linear",
           "median_unbiased", "normal_unbiased")
at <- c(0, 0.01, 0.05, 0.1, 0.25, 1 / 3, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, 0.99, 1)
for (n in c(1, 2, 3, 4, 5, 8, 10, 13, 25, 100)) {
  for (values in list(round(rnorm(n), 2), round(runif(n), 1))) {
    expected <- lapply(1:9, function(type) unname(quantile(values, at, type = type)))
    names(expected) <- types
    add("quantiles", list(values, at), expected)
  }
}

# Hodges and Lehmann's shift with Moses's and Tukey's exact intervals: no ties, since R has none that is exact with them.
for (sizes in list(c(4, 4), c(5, 7), c(10, 10), c(12, 30), c(40, 49), c(49, 8))) {
  for (level in c(0.9, 0.95)) {
    a <- rnorm(sizes[1], 0.4)
    b <- rnorm(sizes[2])
    found <- wilcox.test(a, b, conf.int = TRUE, conf.level = level, exact = TRUE)
    add("hodgesLehmann", list(a, b), list(shift = unname(found$estimate), interval = as.vector(found$conf.int)),
        sprintf("\"level\": %s, ", level))
  }
}
for (n in c(6, 9, 20, 35, 49)) {
  for (level in c(0.9, 0.95)) {
    a <- rnorm(n, 0.2)
    found <- wilcox.test(a, conf.int = TRUE, conf.level = level, exact = TRUE)
    add("hodgesLehmann", list(a), list(shift = unname(found$estimate), interval = as.vector(found$conf.int)),
        sprintf("\"level\": %s, ", level))
  }
}

# Exact with ties, by the shift algorithm of Streitberg and Roehmel. One-sided: two-sided p is defined in more than one way where the
# distribution is not symmetric.
for (sizes in list(c(3, 4), c(5, 5), c(6, 9), c(8, 8), c(10, 7))) {
  for (side in c("less", "greater")) {
    a <- round(rnorm(sizes[1], 0.5), 1) + sample(0:1, sizes[1], replace = TRUE) / 2
    b <- round(rnorm(sizes[2]), 0)
    add("rankSumPermutation", list(a, b), list(p = wilcox.exact(a, b, alternative = side, exact = TRUE)$p.value),
        sprintf("\"alternative\": \"%s\", \"resamples\": 1, \"seed\": 0, ", side))
  }
}
for (n in c(5, 8, 10, 12, 13)) {
  for (side in c("less", "greater")) {
    a <- round(2 * rnorm(n, 0.4))
    b <- round(2 * rnorm(n))
    # scipy's rule leaves zero differences out, and so does this function.
    add("signedRank", list(a, b), list(p = wilcox.exact(a, b, paired = TRUE, alternative = side, exact = TRUE)$p.value),
        sprintf("\"alternative\": \"%s\", ", side))
  }
}

# Tukey's distribution; -1 degrees of freedom stand for infinity. From 20 degrees on: with fewer R itself is off by more than the test
# allows. Two groups and 2 degrees are Student's t: at q = 0.5 that is 0.757464375, and ptukey says 0.757457877.
for (groups in c(2, 3, 5, 10, 20, 50)) {
  for (degrees in c(20, 60, 120, Inf)) {
    q <- c(0.5, 1, 2, 3, 4, 6, 8)
    add("studentizedRange",
        list(q, rep(groups, length(q)), rep(if (is.infinite(degrees)) -1 else degrees, length(q))),
        list(p = ptukey(q, groups, degrees, lower.tail = FALSE)))
  }
}

header <- sprintf("{\"command\": \"Rscript Tests/Fixtures/statistics/reference.R Tests/Fixtures/statistics/r.json\", \"R\": \"%s\", \"exactRankTests\": \"%s\", \"made\": \"%s\"}",
                  getRversion(), packageVersion("exactRankTests"), Sys.Date())
writeLines(c(sprintf("{\"header\": %s,", header), "\"cases\": [", paste(cases, collapse = ",\n"), "]}"), commandArgs(TRUE)[1])
