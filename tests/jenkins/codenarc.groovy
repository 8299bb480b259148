// The rules of CodeNarc for what Jenkins runs; by default they look at files called Jenkinsfile only.
ruleset {
    ruleset('rulesets/jenkins.xml') {
        ClassNotSerializable { applyToFileNames = '*' }
        ClosureInGString { applyToFileNames = '*' }
        CpsCallFromNonCpsMethod { applyToFileNames = '*' }
        ExpressionInCpsMethodNotSerializable { applyToFileNames = '*' }
        ForbiddenCallInCpsMethod { applyToFileNames = '*' }
        ObjectOverrideOnlyNonCpsMethods { applyToFileNames = '*' }
        ParameterOrReturnTypeNotSerializable { applyToFileNames = '*' }
    }
    ruleset('rulesets/unused.xml')
    ruleset('rulesets/imports.xml')
    ruleset('rulesets/basic.xml')
}
