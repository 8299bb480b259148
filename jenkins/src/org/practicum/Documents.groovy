package org.practicum

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonSlurper

/** What the command line prints with --json, as values that a build can keep over a restart. */
class Documents implements Serializable {
    private static final long serialVersionUID = 1L

    /** Returns a list of documents with the named keys as text. The parser's own maps could not be kept. */
    @NonCPS
    static List<Map<String, String>> list(String text, List<String> keys) {
        List<Map<String, String>> found = []
        for (Object document in (List) new JsonSlurper().parseText(text)) {
            Map<String, String> kept = [:]
            for (String key in keys) {
                kept[key] = String.valueOf(((Map) document)[key])
            }
            found.add(kept)
        }
        return found
    }
}
