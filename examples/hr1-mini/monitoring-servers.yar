// What was seen in this hospital in week 1: a job that fetches its orders, and a program that hides as a kernel's worker.
rule fetches_orders
{
    strings:
        $fetch = /(curl|wget) [^\n|]{1,200}\| ?(ba|da)?sh/
        $marker = "reprise-lab-intruder"
    condition:
        $marker and $fetch
}
